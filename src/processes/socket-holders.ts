import { listPids } from "./proc-files";
import { readLink, readNames, readText, valueOf } from "../node/reads";
import type { Slices } from "../base/slices";

/** A descriptor of a process. */
export interface Holder {
  readonly pid: number;
  readonly fd: string;
}

export interface HolderSearch {
  /** Who holds a socket, by its inode: of each process one descriptor. */
  readonly holders: ReadonlyMap<string, readonly Holder[]>;
  /** Whether there are processes whose descriptors may not be seen. */
  readonly denied: boolean;
  /** Whether the time was up before every process had been looked at. */
  readonly cut: boolean;
}

export interface HolderQuestion {
  /** The inodes of the sockets, as in `socket:[12345]`. */
  readonly inodes: ReadonlySet<string>;
  /** Whether all holders are looked for, rather than one of each socket. */
  readonly everyHolder: boolean;
}

/**
 * Looks once through the descriptors of all processes, those with few of them first: on a busy node a driver has some dozen,
 * and who has thousands must not hide it. Of any process, not only those in the socket's network namespace: a listening
 * socket may have been inherited. Never rejects.
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

/** Whether a descriptor is still that socket. */
export function stillHolds(procDir: string, { pid, fd }: Holder, inode: string): boolean {
  return valueOf(readLink(`${procDir}/${pid}/fd/${fd}`)) === `socket:[${inode}]`;
}

/** Whether a descriptor is a unix socket, by its fdinfo (proc_pid_fdinfo(5)). Linux before 5.6 does not tell: it is false. */
export function isUnixSocket(procDir: string, { pid, fd }: Holder): boolean {
  return /^scm_fds:/m.test(valueOf(readText(`${procDir}/${pid}/fdinfo/${fd}`)) ?? "");
}

/** The descriptors of a process, by number. */
interface Listing {
  readonly pid: number;
  readonly fds: readonly string[];
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
    listings.push({ pid, fds: valueOf(names) ?? [] });
    // oxlint-disable-next-line no-await-in-loop -- one slice after the other is the point
    await slices.pause();
  }
  return { listings: listings.toSorted((one, other) => one.fds.length - other.fds.length), denied, cut };
}

/** So many links are read before it is looked whether the slice is over. */
const LINKS_AT_A_TIME = 256;

async function lookThrough(procDir: string, { pid, fds }: Listing, inodes: ReadonlySet<string>, slices: Slices) {
  const sockets = new Map<string, string>();
  for (const [at, fd] of fds.entries()) {
    const link = readLink(`${procDir}/${pid}/fd/${fd}`);
    // To uid 0 without SYS_PTRACE the kernel lists them, and says of none what it is.
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
