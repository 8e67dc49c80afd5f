import { readFile } from "node:fs/promises";
import { type Read, readFailure, readNames, readText, valueOf } from "./reads";

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
