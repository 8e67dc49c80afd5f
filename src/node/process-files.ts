import { join } from "node:path";
import { readMounts } from "./mounts";
import { readLink, valueOf } from "./reads";
import { createRoot, type Resolution, type Root } from "./rooted-path";

/**
 * What a path leads to for a process, by its own root directory and mounts; a relative one from its working directory.
 * Undefined where its mounts cannot be read: it has ended, or we may not.
 */
export type FileFinder = (pid: number, path: string) => Resolution | undefined;

/** Looks at each path once for each process, and at what is mounted for it once. */
export function createFileFinder(procDir: string): FileFinder {
  const rootOf = once((pid: number) => openRootOf(procDir, pid));
  const finderFor = once((pid: number) =>
    once((path: string) => rootOf(pid)?.resolve(absolutePath(procDir, pid, path))),
  );
  return (pid, path) => finderFor(pid)(path);
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

function openRootOf(procDir: string, pid: number): Root | undefined {
  const outcome = readMounts(`${procDir}/${pid}/mountinfo`);
  return outcome.kind === "read" ? createRoot(`${procDir}/${pid}/root`, outcome.mounts) : undefined;
}

function absolutePath(procDir: string, pid: number, path: string): string {
  if (path.startsWith("/")) return path;
  return join(valueOf(readLink(`${procDir}/${pid}/cwd`)) ?? "/", path);
}
