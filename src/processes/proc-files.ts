import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type HeldFile, holdDirectory } from "../node/held-file";
import { type MountTable, readMounts } from "../node/mounts";
import { type Read, readFailure, readLink, readNames, readText, valueOf } from "../node/reads";
import { createRoot } from "../node/rooted-path";

/** All visible processes, by rising id; none without /proc. */
export function listPids(procDir: string): readonly number[] {
  const names = valueOf(readNames(procDir)) ?? [];
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((one, other) => one - other);
}

/** A process's user ids in our user namespace. */
export interface ProcessUids {
  readonly effective: number;
  /** Real, effective, saved and file system's: those of a setuid program differ. */
  readonly all: readonly number[];
}

/**
 * Reads a process's user ids; undefined if it has ended. The owner of `/proc/PID` is not used: any process can make root its owner
 * (prctl(2), PR_SET_DUMPABLE).
 */
export function readUids(procDir: string, pid: number): ProcessUids | undefined {
  // The process's name, on the line before, cannot forge this one: the kernel escapes its line feeds.
  const line = /^Uid:((?:\t\d+){4})$/m.exec(valueOf(readText(`${procDir}/${pid}/status`)) ?? "")?.[1];
  const all = line?.trim().split("\t").map(Number);
  const effective = all?.[1];
  return all === undefined || effective === undefined ? undefined : { effective, all };
}

/**
 * Reads a process's arguments (proc_pid_cmdline(5)); a zombie has none. The kernel takes the lock of the process's memory map for it, so
 * the read never ends if the process hangs with that lock. It then keeps a thread of the runtime until process.exit. Never rejects.
 *
 * @param timeoutMs after which the answer is `failed` with `ETIMEDOUT`
 */
export async function readArgv(procDir: string, pid: number, timeoutMs: number): Promise<Read<readonly string[]>> {
  const late = Promise.withResolvers<Read<never>>();
  const timer = setTimeout(() => late.resolve({ kind: "failed", code: "ETIMEDOUT" }), timeoutMs);
  const answer = readFile(`${procDir}/${pid}/cmdline`, "utf8").then(
    (text): Read<readonly string[]> => ({ kind: "read", value: argvOf(text) }),
    readFailure,
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function argvOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\0$/, "").split("\0");
}

/**
 * Resolves a path as a process would, in its own root and mounts; a relative one in its working directory. `offLimits` means that
 * resolving it might hang. Undefined if there is no such file, or we may not see it.
 */
export type FileFinder = (pid: number, path: string) => FoundFile | undefined;

export type FoundFile = { readonly kind: "found"; readonly fileId: string } | { readonly kind: "offLimits" };

/** Resolves each path once for each process, and reads each process's mounts once. */
export function createFileFinder(procDir: string): FileFinder {
  const mountsOf = once((pid: number) => valueOf(readMounts(`${procDir}/${pid}/mountinfo`)));
  const finderFor = once((pid: number) => once((path: string) => findFile(procDir, pid, path, mountsOf)));
  return (pid, path) => finderFor(pid)(path);
}

function findFile(
  procDir: string,
  pid: number,
  path: string,
  mountsOf: (pid: number) => MountTable | undefined,
): FoundFile | undefined {
  // Its table is not even read: there it may have made 100,000 mounts, whose paths take 8 KB each.
  if (hasOwnUsers(procDir, pid)) return { kind: "offLimits" };
  const mounts = mountsOf(pid);
  using root = mounts && holdRoot(`${procDir}/${pid}/root`);
  if (mounts === undefined || root === undefined) return undefined;
  // After its root is held: any process may enter a new user namespace at any time, and mount an overlay on its own FUSE file
  // system there, which is of a local type and may hang.
  if (hasOwnUsers(procDir, pid)) return { kind: "offLimits" };
  const found = createRoot(root.path, mounts).resolve(absolutePath(procDir, pid, path));
  if (found.kind === "found") return { kind: "found", fileId: found.file.fileId };
  return found.kind === "offLimits" ? { kind: "offLimits" } : undefined;
}

function holdRoot(path: string): HeldFile | undefined {
  try {
    return holdDirectory(path);
  } catch {
    return undefined;
  }
}

function hasOwnUsers(procDir: string, pid: number): boolean {
  const [its, ours] = [`${procDir}/${pid}/ns/user`, "/proc/self/ns/user"].map((link) => valueOf(readLink(link)));
  return its !== ours;
}

function absolutePath(procDir: string, pid: number, path: string): string {
  if (path.startsWith("/")) return path;
  return join(valueOf(readLink(`${procDir}/${pid}/cwd`)) ?? "/", path);
}

/** The same function, but called only once for each key. */
export function once<Key extends string | number, Value>(ask: (key: Key) => Value): (key: Key) => Value {
  const answers = new Map<Key, { readonly value: Value }>();
  return (key) => {
    const answer = answers.get(key) ?? { value: ask(key) };
    answers.set(key, answer);
    return answer.value;
  };
}
