import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { readMounts } from "./mounts";
import { needOf, type Need, type ProcAccess } from "./needs";
import { listPids } from "./proc-files";
import { readLink, readNames, readText, valueOf } from "./reads";
import { createRoot, type Resolution } from "./rooted-path";
import { seesNodeProcesses } from "./running-kubelets";
import { parseUnixSockets, type ListeningSocket } from "./unix-sockets";

/** Somebody who listens on a socket's file. */
export interface Listener {
  /** The processes that hold the listening socket, by rising id: several where it was inherited. */
  readonly pids: readonly [number, ...number[]];
  /** The path that it was bound to, in the mount namespace of those processes. */
  readonly boundPath: string;
}

export type ListenerSearch =
  /**
   * More than one where a driver's file was replaced by another's at the same path while the first still runs: the kernel
   * tells paths of the sockets, and not which file was whose.
   */
  | { readonly kind: "found"; readonly listeners: readonly [Listener, ...Listener[]] }
  /** For each socket of that name it was seen who holds it, and it is another. */
  | { readonly kind: "nobody" }
  /** Nobody was found, and for one who listens on a socket of that name its path cannot be followed: it is on a mount that may hang. */
  | { readonly kind: "unknown" }
  /** Somebody listens on a socket of that name, and cannot be seen; with `hostPID`, nobody knows. */
  | { readonly kind: "notPermitted"; readonly needs: Need };

export interface SocketToFind {
  /** The path to its file without symbolic links: only its last name counts, since processes have their own mounts. */
  readonly path: string;
  /** `device:inode`. */
  readonly fileId: string;
}

/**
 * Finds who listens on a socket's file. Never throws.
 *
 * Drivers in containers all bind the same path, such as `/csi/csi.sock`, in mount namespaces of their own. So in the table of
 * each network namespace (proc_net(5)) the sockets of that name are taken, for each the processes that hold it (`/proc/PID/fd`),
 * and of these one is asked whether its path leads to our device and inode, below `/proc/PID/root`. That look obeys the
 * process's own table of mounts: it crosses only local file systems, and the names on the way are in the kernel's memory for
 * as long as the socket is bound. A file that was renamed after it was bound is not found.
 */
export function findListeners({ procDir, uid }: ProcAccess, socket: SocketToFind): ListenerSearch {
  const bound = socketsNamed(basename(socket.path), procDir);
  const { holders, denied } = bound.length > 0 ? findHolders(procDir, bound) : NOBODY;
  const candidates = bound.flatMap(({ inode, path }) => {
    const [holder, ...others] = holders.get(inode) ?? [];
    if (holder === undefined) return [];
    const listener: Listener = { pids: [holder, ...others], boundPath: path };
    return [{ listener, file: resolveFor(procDir, holder, path) }];
  });
  const isOurs = ({ file }: Candidate) => file?.kind === "found" && file.file.fileId === socket.fileId;
  const [first, ...more] = candidates.filter(isOurs).map(({ listener }) => listener);
  if (first !== undefined) return { kind: "found", listeners: [first, ...more] };
  if (!seesNodeProcesses(procDir)) return { kind: "notPermitted", needs: "hostPID" };
  // Who has ended since the tables were read holds nothing, and is not there a second time.
  const unseen = bound.filter(({ inode }) => !holders.has(inode)).map(({ inode }) => inode);
  if (denied && socketsNamed(basename(socket.path), procDir).some(({ inode }) => unseen.includes(inode))) {
    return { kind: "notPermitted", needs: needOf(uid) };
  }
  return { kind: candidates.some(({ file }) => file?.kind === "offLimits") ? "unknown" : "nobody" };
}

interface Candidate {
  readonly listener: Listener;
  /** What its path leads to for its first process. */
  readonly file: Resolution | undefined;
}

/** The sockets that are listened on by a name, in all network namespaces. */
function socketsNamed(name: string, procDir: string): readonly ListeningSocket[] {
  const sockets = tablesOf(procDir).flatMap((table) => parseUnixSockets(table));
  return sockets.filter(({ path }) => basename(path) === name);
}

/** One table a network namespace. */
function tablesOf(procDir: string): readonly string[] {
  const namespaces = new Map(
    listPids(procDir)
      .toReversed()
      .map((pid) => [namespaceOf(procDir, pid), pid]),
  );
  return [...namespaces].flatMap(([namespace, pid]) => {
    const table = namespace === undefined ? undefined : valueOf(readText(`${procDir}/${pid}/net/unix`));
    return table ?? [];
  });
}

// The table's own inode is one a namespace too, and unlike `/proc/PID/ns/net` it may be asked for by anyone.
function namespaceOf(procDir: string, pid: number): number | undefined {
  try {
    return statSync(`${procDir}/${pid}/net/unix`).ino;
  } catch {
    // It has ended.
    return undefined;
  }
}

interface Holders {
  /** The processes that hold a socket, by its inode. */
  readonly holders: ReadonlyMap<string, readonly number[]>;
  /** Whether there are processes whose descriptors may not be listed. */
  readonly denied: boolean;
}

const NOBODY: Holders = { holders: new Map(), denied: false };

// Of any process, not only those in the socket's network namespace: a listening socket may have been inherited.
function findHolders(procDir: string, sockets: readonly ListeningSocket[]): Holders {
  const wanted = new Map(sockets.map(({ inode }) => [`socket:[${inode}]`, inode]));
  const holders = new Map<string, number[]>();
  let denied = false;
  for (const pid of listPids(procDir)) {
    const descriptors = readNames(`${procDir}/${pid}/fd`);
    // To uid 0 without SYS_PTRACE the kernel lists them, and does not say what they are.
    const links = (valueOf(descriptors) ?? []).map((fd) => readLink(`${procDir}/${pid}/fd/${fd}`));
    denied ||= [descriptors, ...links].some(({ kind }) => kind === "notPermitted");
    for (const inode of new Set(links.flatMap((link) => wanted.get(valueOf(link) ?? "") ?? []))) {
      holders.set(inode, [...(holders.get(inode) ?? []), pid]);
    }
  }
  return { holders, denied };
}

function resolveFor(procDir: string, pid: number, path: string): Resolution | undefined {
  const outcome = readMounts(`${procDir}/${pid}/mountinfo`);
  if (outcome.kind !== "read") return undefined;
  return createRoot(`${procDir}/${pid}/root`, outcome.mounts).resolve(absolutePath(procDir, pid, path));
}

function absolutePath(procDir: string, pid: number, path: string): string {
  if (path.startsWith("/")) return path;
  return join(valueOf(readLink(`${procDir}/${pid}/cwd`)) ?? "/", path);
}
