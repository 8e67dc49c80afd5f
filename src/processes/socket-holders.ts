import { listPids } from "./proc-files";
import { readLink, readNames, readText, valueOf } from "../node/reads";
import type { Slices } from "../base/slices";

/** A process, and its descriptor of a socket. */
export interface Holder {
  readonly pid: number;
  readonly fd: string;
}

export interface HolderSearch {
  /** By the socket's inode: one for each process that holds it. */
  readonly holders: ReadonlyMap<string, readonly Holder[]>;
  /** Whether we may not see the descriptors of some processes. */
  readonly denied: boolean;
  /** Whether the time was up before every process had been looked at. */
  readonly cut: boolean;
}

export interface HolderQuestion {
  /** The inodes of the sockets, as in `socket:[12345]`. */
  readonly inodes: ReadonlySet<string>;
  /** Whether to look for all holders of a socket, rather than one. */
  readonly everyHolder: boolean;
}

/**
 * Reads the descriptors of all processes once, of those with few first: a driver has a few dozen, and processes with thousands must not
 * use up its time. Processes of all network namespaces count, because a listening socket may be inherited. Never rejects.
 */
export async function findHolders(
  procDir: string,
  { inodes, everyHolder }: HolderQuestion,
  slices: Slices,
): Promise<HolderSearch> {
  const holders = new Map<string, Holder[]>();
  const { listings, denied: notListed, cut: notAllListed } = await listDescriptors(procDir, slices);
  let denied = notListed;
  let cut = notAllListed;
  for (const listing of listings) {
    if (!everyHolder && holders.size === inodes.size) break;
    if (slices.isOver()) {
      cut = true;
      break;
    }
    // oxlint-disable-next-line no-await-in-loop -- one slice after the other is the point
    const found = await lookThrough(procDir, listing, inodes, slices);
    denied ||= found.denied;
    cut ||= found.cut;
    for (const [inode, fd] of found.sockets)
      holders.set(inode, [...(holders.get(inode) ?? []), { pid: listing.pid, fd }]);
  }
  for (const each of holders.values()) each.sort((one, other) => one.pid - other.pid);
  return { holders, denied, cut };
}

/** Whether the descriptor is still that socket. */
export function stillHolds(procDir: string, { pid, fd }: Holder, inode: string): boolean {
  return valueOf(readLink(`${procDir}/${pid}/fd/${fd}`)) === `socket:[${inode}]`;
}

/** Whether the descriptor is a unix socket, by its fdinfo (proc_pid_fdinfo(5)); always false on Linux before 5.6. */
export function isUnixSocket(procDir: string, { pid, fd }: Holder): boolean {
  return /^scm_fds:/m.test(valueOf(readText(`${procDir}/${pid}/fdinfo/${fd}`)) ?? "");
}

/** A process, and how many descriptors it has: with their names, processes with a million each would fill our memory. */
interface Listing {
  readonly pid: number;
  readonly count: number;
}

async function listDescriptors(procDir: string, slices: Slices) {
  const listings: Listing[] = [];
  let denied = false;
  let cut = false;
  for (const pid of listPids(procDir)) {
    if (slices.isOver()) {
      cut = true;
      break;
    }
    const names = readNames(`${procDir}/${pid}/fd`);
    denied ||= names.kind === "notPermitted";
    listings.push({ pid, count: valueOf(names)?.length ?? 0 });
    // oxlint-disable-next-line no-await-in-loop -- one slice after the other is the point
    await slices.pause();
  }
  return { listings: listings.toSorted((one, other) => one.count - other.count), denied, cut };
}

/** How many links are read between two pauses. */
const LINKS_AT_A_TIME = 256;

async function lookThrough(procDir: string, { pid }: Listing, inodes: ReadonlySet<string>, slices: Slices) {
  const sockets = new Map<string, string>();
  for (const [at, fd] of (valueOf(readNames(`${procDir}/${pid}/fd`)) ?? []).entries()) {
    const link = readLink(`${procDir}/${pid}/fd/${fd}`);
    // Without SYS_PTRACE, uid 0 may list descriptors but not read what they are.
    if (link.kind === "notPermitted") return { sockets, denied: true, cut: false };
    const inode = SOCKET.exec(valueOf(link) ?? "")?.[1];
    if (inode !== undefined && inodes.has(inode) && !sockets.has(inode)) sockets.set(inode, fd);
    if (at % LINKS_AT_A_TIME !== 0) continue;
    // oxlint-disable-next-line no-await-in-loop -- one slice after the other is the point
    await slices.pause();
    if (slices.isOver()) return { sockets, denied: false, cut: true };
  }
  return { sockets, denied: false, cut: false };
}

const SOCKET = /^socket:\[(\d+)\]$/;
