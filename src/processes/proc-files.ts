import { closeSync, constants, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type MountTable, readMounts } from "../node/mounts";
import { O_PATH } from "../node/pinned-socket";
import { type Read, readFailure, readLink, readNames, readText, valueOf } from "../node/reads";
import { createRoot } from "../node/rooted-path";

/** All processes that are to be seen, by rising id. Empty where there is no /proc. */
export function listPids(procDir: string): readonly number[] {
  const names = valueOf(readNames(procDir)) ?? [];
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((one, other) => one - other);
}

/** A process's user ids, as this process counts them. */
export interface ProcessUids {
  readonly effective: number;
  /** Real, effective, saved and file system's: who runs a setuid program has a real one of its own. */
  readonly all: readonly number[];
}

/**
 * Reads a process's user ids: in a user namespace of its own, a process that is uid 0 there has another one here. Undefined
 * where it has ended.
 *
 * Not the owner of `/proc/PID`, which is root for whatever process wants it so (prctl(2), PR_SET_DUMPABLE).
 */
export function readUids(procDir: string, pid: number): ProcessUids | undefined {
  // The kernel escapes line feeds in the name, which comes before.
  const line = /^Uid:((?:\t\d+){4})$/m.exec(valueOf(readText(`${procDir}/${pid}/status`)) ?? "")?.[1];
  const all = line?.trim().split("\t").map(Number);
  const effective = all?.[1];
  return all === undefined || effective === undefined ? undefined : { effective, all };
}

/**
 * Reads a process's arguments (proc_pid_cmdline(5)): none of a zombie. The kernel answers with the process's memory map
 * locked, so where the process hangs with the lock held, that is never. Such a read keeps one of the runtime's threads, which
 * process.exit ends. Never rejects.
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
 * Which file a path leads to for a process, by its own root directory and mounts; a relative one from its working directory.
 * `offLimits` is what may hang who looks at it. Undefined where there is no such file, or it cannot be looked at.
 */
export type FileFinder = (pid: number, path: string) => FoundFile | undefined;

export type FoundFile = { readonly kind: "found"; readonly fileId: string } | { readonly kind: "offLimits" };

/** Looks at each path once for each process, and reads once what is mounted for it. */
export function createFileFinder(procDir: string): FileFinder {
  const mountsOf = once((pid: number) => valueOf(readMounts(`${procDir}/${pid}/mountinfo`)));
  const finderFor = once((pid: number) => once((path: string) => findFile(procDir, pid, path, mountsOf(pid))));
  return (pid, path) => finderFor(pid)(path);
}

function findFile(procDir: string, pid: number, path: string, mounts: MountTable | undefined): FoundFile | undefined {
  const fd = mounts && holdDirectory(`${procDir}/${pid}/root`);
  if (mounts === undefined || fd === undefined) return undefined;
  try {
    // Asked once its root is held: any process may go into a user namespace at any time, and mount there an overlay on a FUSE file
    // system of its own, which is a local type that hangs.
    if (hasOwnUsers(procDir, pid)) return { kind: "offLimits" };
    const found = createRoot(`/proc/self/fd/${fd}`, mounts).resolve(absolutePath(procDir, pid, path));
    if (found.kind === "found") return { kind: "found", fileId: found.file.fileId };
    return found.kind === "offLimits" ? { kind: "offLimits" } : undefined;
  } finally {
    closeSync(fd);
  }
}

/** A descriptor of a directory, whatever becomes of its path. */
function holdDirectory(path: string): number | undefined {
  try {
    return openSync(path, O_PATH | constants.O_DIRECTORY);
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

/** The same function, that is called once for each key. */
export function once<Key extends string | number, Value>(ask: (key: Key) => Value): (key: Key) => Value {
  const answers = new Map<Key, { readonly value: Value }>();
  return (key) => {
    const answer = answers.get(key) ?? { value: ask(key) };
    answers.set(key, answer);
    return answer.value;
  };
}
