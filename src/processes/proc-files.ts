import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt } from "../base/errors";
import { holdDirectory } from "../node/held-file";
import { type MountTable, readMounts } from "../node/mounts";
import { readLink, readNames, readText, valueOf } from "../base/reads";
import { createRoot } from "../node/rooted-path";

/** All visible processes, by rising id; none without /proc. */
export function listPids(procDir: string): readonly number[] {
  const names = valueOf(readNames(procDir)) ?? [];
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((one, other) => one - other);
}

/**
 * Reads a process's user ids in our user namespace: real, effective, saved and file system's, of which those of a
 * setuid program differ. Undefined if it has ended. The owner of `/proc/PID` is not used: any process can make root its
 * owner (prctl(2), PR_SET_DUMPABLE).
 */
export function readUids(procDir: string, pid: number): readonly number[] | undefined {
  // The process's name, on the line before, cannot forge this one: the kernel escapes its line feeds.
  const line = /^Uid:\t((?:\d+\t){3}\d+)$/m.exec(readText(`${procDir}/${pid}/status`))?.[1];
  return line?.split("\t").map(Number);
}

/**
 * Reads a process's arguments (proc_pid_cmdline(5)); none of a zombie, or if they cannot be read. Never rejects.
 *
 * The kernel takes the lock of the process's memory map for it, so the read never ends if the process hangs with that
 * lock. It then keeps a thread of the runtime until process.exit.
 */
export async function readArgv(procDir: string, pid: number, timeoutMs: number): Promise<readonly string[]> {
  const cmdline = readFile(`${procDir}/${pid}/cmdline`, "utf8").catch(() => "");
  const text = await Promise.race([cmdline, Bun.sleep(timeoutMs).then(() => "")]);
  return text === "" ? [] : text.replace(/\0$/, "").split("\0");
}

export type FoundFile = { readonly kind: "found"; readonly fileId: string } | { readonly kind: "offLimits" };

/**
 * Resolves paths as a process would, in its own root and mounts, each path once; a relative one in its working
 * directory. `offLimits` means that resolving it might hang. Undefined if there is no such file, or we may not see it.
 */
export function createFileFinder(procDir: string, pid: number): (path: string) => FoundFile | undefined {
  const directory = `${procDir}/${pid}`;
  let mounts: MountTable | undefined;
  return once((path) => {
    // Its table is not even read: there it may have made 100,000 mounts, whose paths take 8 KB each.
    if (hasOwnUsers(directory)) return { kind: "offLimits" };
    mounts ??= readMounts(`${directory}/mountinfo`);
    using root = mounts && attempt(() => holdDirectory(`${directory}/root`));
    if (mounts === undefined || root === undefined) return undefined;
    // After its root is held: any process may enter a new user namespace at any time, and mount an overlay on its own
    // FUSE file system there, which is of a local type and may hang.
    if (hasOwnUsers(directory)) return { kind: "offLimits" };
    const outer = path.startsWith("/") ? path : join(valueOf(readLink(`${directory}/cwd`)) ?? "/", path);
    const found = createRoot(root.path, mounts).resolve(outer);
    if (found.kind === "found") return { kind: "found", fileId: found.file.fileId };
    return found.kind === "offLimits" ? { kind: "offLimits" } : undefined;
  });
}

function hasOwnUsers(directory: string): boolean {
  return valueOf(readLink(`${directory}/ns/user`)) !== valueOf(readLink("/proc/self/ns/user"));
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
