import { basename } from "node:path";
import type { NodeSocket } from "../node/socket-search";
import { createFileFinder, once, readUids } from "./proc-files";
import { seesNodeProcesses } from "./running-kubelets";
import { startSlices } from "../base/slices";
import { findHolders, type HolderSearch, isUnixSocket, stillHolds } from "./socket-holders";
import { readUnixSockets, type UnixSocket } from "./unix-sockets";

/** How this process looks at others. */
export interface ProcAccess {
  /** `/proc`, or `/host/proc`. */
  readonly procDir: string;
  /** Our own effective user id. */
  readonly uid: number;
}

/** Who listens on a socket's file. */
interface Listener {
  /**
   * The processes that hold the listening socket, by rising id: several if it was inherited and `everyHolder` is set.
   */
  readonly pids: readonly [number, ...number[]];
  /** The path that it was bound to, in the mount namespace of those processes. */
  readonly boundPath: string;
}

export type ListenerSearch =
  | (Listener & { readonly kind: "found" })
  /** The holder of each socket of that name was seen, and listens on another file. */
  | { readonly kind: "nobody" }
  /** These processes may be it. */
  | { readonly kind: "doubtful"; readonly why: Doubt; readonly pids: readonly number[] }
  /** Not every process was looked at, and none of the others is it. */
  | { readonly kind: "unknown"; readonly why: "mount" | "cut" }
  /**
   * There may be one, which we may not see without the node's process namespace (`hostPID`), uid 0, or as uid 0 the
   * capability SYS_PTRACE: without it, uid 0 sees only processes with no more capabilities than its own (ptrace(2)).
   */
  | { readonly kind: "notPermitted"; readonly needs: "hostPID" | "uid 0" | "SYS_PTRACE" };

type Doubt =
  /**
   * Several listen on that path, as when a driver's file was replaced while it still runs: the kernel tells only their
   * paths.
   */
  | "several"
  /** The row of the kernel's table may be forged. */
  | "forged"
  /** It runs neither as root nor as the owner of the file. */
  | "stranger";

export interface ListenerQuestion {
  /** Only the last name of `outerPath` counts, because processes have their own mounts. */
  readonly sockets: readonly NodeSocket[];
  /** How long it may take, in milliseconds. */
  readonly boundMs: number;
  /** Whether to look for all processes that hold a socket, rather than one. */
  readonly everyHolder: boolean;
}

/**
 * Finds who listens on sockets' files, for all of them at once, because /proc of a busy node has hundreds of thousands
 * of descriptors. The answers are in the order of the sockets. Never rejects.
 *
 * Drivers in containers all bind the same path, such as `/csi/csi.sock`, in their own mount namespaces. So this takes
 * the sockets of that name from the table of each network namespace (proc_net(5)), finds the processes that hold them
 * (`/proc/PID/fd`), and resolves the path below `/proc/PID/root`, across local file systems only. The listener is the
 * process for which it leads to our device and inode. A file that was renamed after it was bound is not found.
 *
 * Processes may lie:
 * - A row that is not certainly the kernel's (`parseUnixSockets`) may give a forger's path to the inode of another's
 *   socket. It counts only if no other row, in any network namespace, has that inode, and if the descriptor is a unix
 *   socket: the kernel has a row for each, so this is it. (Except where no process is left in the socket's network
 *   namespace.) The descriptor is looked at before and after the table is read, so the socket was there in between.
 * - A process in its own mount namespace can bind any path, and mount anything over it. So a listener runs as root or
 *   as the file's owner, by all of its user ids, and of two none is chosen. Nothing is resolved for other processes.
 */
export async function findListeners(
  { procDir, uid }: ProcAccess,
  { sockets, boundMs, everyHolder }: ListenerQuestion,
): Promise<readonly ListenerSearch[]> {
  const slices = startSlices(boundMs);
  const names = new Set(sockets.map(({ outerPath }) => basename(outerPath)));
  const isNamed = ({ isListening, path }: UnixSocket): boolean => isListening && names.has(basename(path));
  const before = await readUnixSockets(procDir, isNamed, slices);
  const inodes = new Set(before.map(({ inode }) => inode));
  const search = inodes.size === 0 ? NOBODY : await findHolders(procDir, inodes, everyHolder, slices);
  // It has a bound of its own: without this read no doubtful row counts.
  const lastSlices = startSlices(boundMs);
  const after = await readUnixSockets(procDir, ({ inode }) => inodes.has(inode), lastSlices);
  const contents = new Map<string, Set<string>>();
  for (const { inode, content } of after) contents.set(inode, (contents.get(inode) ?? new Set()).add(content));
  const view: View = {
    ...search,
    procDir,
    uid,
    cut: slices.wasCut() || lastSlices.wasCut(),
    // Without sockets that were closed in between.
    rows: Map.groupBy(
      before.filter(({ inode, content }) => contents.get(inode)?.has(content)),
      ({ path }) => basename(path),
    ),
    isContradicted: ({ inode }) => lastSlices.wasCut() || contents.get(inode)?.size !== 1,
    seesNode: seesNodeProcesses(procDir),
    uidsOf: once((pid) => readUids(procDir, pid)),
    finderFor: once((pid) => createFileFinder(procDir, pid)),
  };
  const judged: ListenerSearch[] = [];
  for await (const slice of startSlices(boundMs).of(sockets))
    for (const socket of slice) judged.push(judge(view, socket));
  return sockets.map((_, index) => judged[index] ?? { kind: "unknown", why: "cut" });
}

const NOBODY: HolderSearch = { holders: new Map(), denied: false };

interface View extends ProcAccess, HolderSearch {
  /** Whether the time was up before everything had been looked at. */
  readonly cut: boolean;
  /** The rows of listening sockets, by the last name of their path. */
  readonly rows: ReadonlyMap<string, readonly UnixSocket[]>;
  /** Whether another row says something else of the same inode, as far as it was seen. */
  readonly isContradicted: (row: UnixSocket) => boolean;
  readonly seesNode: ReturnType<typeof seesNodeProcesses>;
  readonly uidsOf: (pid: number) => readonly number[] | undefined;
  readonly finderFor: (pid: number) => ReturnType<typeof createFileFinder>;
}

/** What a row of the table comes to, for a socket of its name. */
type Claim =
  | (Listener & { readonly kind: "listener"; readonly isSure: boolean })
  | { readonly kind: "stranger"; readonly pids: readonly number[] }
  | { readonly kind: "other" | "mount" | "unheld" };

function judge(view: View, socket: NodeSocket): ListenerSearch {
  const { denied, cut } = view;
  const claims = (view.rows.get(basename(socket.outerPath)) ?? []).map((row) => claimOf(view, row, socket));
  const listeners = claims.flatMap((claim) => (claim.kind === "listener" ? [claim] : []));
  const [only, ...more] = listeners.filter(({ isSure }) => isSure);
  if (only !== undefined && more.length === 0) return { kind: "found", pids: only.pids, boundPath: only.boundPath };
  const pids = listeners.map(({ pids: [pid] }) => pid);
  if (pids.length > 0) return { kind: "doubtful", why: only === undefined ? "forged" : "several", pids };
  const needs = view.uid === 0 ? "SYS_PTRACE" : "uid 0";
  if (view.seesNode !== "yes") return { kind: "notPermitted", needs: view.seesNode === "no" ? "hostPID" : needs };
  const has = (kind: Claim["kind"]): boolean => claims.some((claim) => claim.kind === kind);
  if (denied && has("unheld")) return { kind: "notPermitted", needs };
  if (cut) return { kind: "unknown", why: "cut" };
  if (has("mount")) return { kind: "unknown", why: "mount" };
  const strangers = claims.flatMap((claim) => (claim.kind === "stranger" ? claim.pids.slice(0, 1) : []));
  return strangers.length > 0 ? { kind: "doubtful", why: "stranger", pids: strangers } : { kind: "nobody" };
}

function claimOf(view: View, row: UnixSocket, { fileId, ownerUid }: NodeSocket): Claim {
  const holders = view.holders.get(row.inode) ?? [];
  const [holder, ...others] = holders.filter(({ pid }) => isTrusted(view.uidsOf(pid), ownerUid));
  if (holder === undefined)
    return holders.length === 0 ? { kind: "unheld" } : { kind: "stranger", pids: holders.map(({ pid }) => pid) };
  const file = view.finderFor(holder.pid)(row.path);
  if (file?.kind === "offLimits") return { kind: "mount" };
  if (file?.fileId !== fileId) return { kind: "other" };
  // The socket was open before and after the table was read.
  if (!stillHolds(view.procDir, holder, row.inode)) return { kind: "unheld" };
  const pids = [holder.pid, ...others.map(({ pid }) => pid)] as const;
  const isSure = !row.mayBeForged || (!view.isContradicted(row) && isUnixSocket(view.procDir, holder));
  return { kind: "listener", pids, boundPath: row.path, isSure };
}

// By all of its ids: a user can hand any socket to a setuid program.
function isTrusted(uids: readonly number[] | undefined, ownerUid: number): boolean {
  return uids !== undefined && uids.every((uid) => uid === 0 || uid === ownerUid);
}
