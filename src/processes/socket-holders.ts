import { listPids } from "./proc-files";
import { readProcessStat } from "./process-state";
import { type Read, readLink, readNames, readText, valueOf } from "../base/reads";
import type { Slices } from "../base/slices";

/** A process, and its descriptor of a socket. */
export interface Holder {
  readonly pid: number;
  readonly fd: string;
}

export interface HolderSearch {
  /** By the socket's inode: one for each process that holds it, by rising id. */
  readonly holders: ReadonlyMap<string, readonly Holder[]>;
  /** Whether we may not see the descriptors of some processes. */
  readonly denied: boolean;
}

/**
 * Reads the descriptors of all processes once, of those with few first: a driver has a few dozen, and processes with
 * thousands must not use up its time. Processes of all network namespaces count, because a listening socket may be
 * inherited. Never rejects.
 *
 * @param inodes those of the sockets, as in `socket:[12345]`
 * @param everyHolder whether to look for all holders of a socket, rather than one and, where its parent holds it too,
 *   the parent
 */
export async function findHolders(
  procDir: string,
  inodes: ReadonlySet<string>,
  everyHolder: boolean,
  slices: Slices,
): Promise<HolderSearch> {
  const holders = new Map<string, Holder[]>();
  // Without the names of the descriptors: of processes with a million each, they would fill our memory.
  const listings: { readonly pid: number; readonly count: number }[] = [];
  let denied = false;
  for await (const slice of slices.of(listPids(procDir)))
    for (const pid of slice) {
      const names = readNames(`${procDir}/${pid}/fd`);
      denied ||= names.kind === "notPermitted";
      listings.push({ pid, count: valueOf(names)?.length ?? 0 });
    }
  const byCount = listings.filter(({ count }) => count > 0).toSorted((one, other) => one.count - other.count);
  const isComplete = () => !everyHolder && holders.size === inodes.size;
  const descriptors = byCount.values().flatMap(({ pid }) => (isComplete() ? [] : descriptorsOf(procDir, pid)));
  for await (const slice of slices.of(descriptors))
    for (const { pid, fd, link } of slice) {
      denied ||= link.kind === "notPermitted";
      const inode = SOCKET.exec(valueOf(link) ?? "")?.[1];
      if (inode === undefined || !inodes.has(inode)) continue;
      const known = holders.get(inode) ?? [];
      if (known.at(-1)?.pid !== pid) holders.set(inode, [...known, { pid, fd }]);
    }
  if (!everyHolder)
    for (const [inode, [holder]] of holders)
      if (holder !== undefined) holders.set(inode, [ancestorOf(procDir, holder, inode)]);
  for (const each of holders.values()) each.sort((one, other) => one.pid - other.pid);
  return { holders, denied };
}

/** Of a parent's descriptors so many are looked at. */
const MAX_OF_PARENT = 4_096;

/**
 * The first process of those that inherited a socket from each other: a program that a driver starts holds it until it
 * executes.
 */
function ancestorOf(procDir: string, holder: Holder, inode: string): Holder {
  const pid = readProcessStat(`${procDir}/${holder.pid}`)?.parentPid ?? 0;
  const same = descriptorsOf(procDir, pid)
    .take(MAX_OF_PARENT)
    .find(({ link }) => valueOf(link) === `socket:[${inode}]`);
  return same === undefined ? holder : ancestorOf(procDir, { pid, fd: same.fd }, inode);
}

const SOCKET = /^socket:\[(\d+)\]$/;

interface Descriptor extends Holder {
  readonly link: Read<string>;
}

function* descriptorsOf(procDir: string, pid: number): Generator<Descriptor, void> {
  for (const fd of valueOf(readNames(`${procDir}/${pid}/fd`)) ?? []) {
    const link = readLink(`${procDir}/${pid}/fd/${fd}`);
    yield { pid, fd, link };
    // Without SYS_PTRACE, uid 0 may list descriptors but not read what they are.
    if (link.kind === "notPermitted") return;
  }
}

/** Whether the descriptor is still that socket. */
export function stillHolds(procDir: string, { pid, fd }: Holder, inode: string): boolean {
  return valueOf(readLink(`${procDir}/${pid}/fd/${fd}`)) === `socket:[${inode}]`;
}

/** Whether the descriptor is a unix socket, by its fdinfo (proc_pid_fdinfo(5)); always false on Linux before 5.6. */
export function isUnixSocket(procDir: string, { pid, fd }: Holder): boolean {
  return /^scm_fds:/m.test(readText(`${procDir}/${pid}/fdinfo/${fd}`));
}
