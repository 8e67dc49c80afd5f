import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { errorCode } from "../errors";

/** What a file or link below /proc says of a process. */
export type ProcRead<T> =
  | { readonly kind: "read"; readonly value: T }
  /** The kernel says no: to another user's processes, or for want of SYS_PTRACE (ptrace(2), "access mode checking"). */
  | { readonly kind: "notPermitted" }
  /** The process has ended. */
  | { readonly kind: "gone" }
  /** It does not answer in time, or fails in a way of its own. */
  | { readonly kind: "failed"; readonly code: string };

/** Reads a file that the kernel answers at once. */
export function readProcFile(path: string): ProcRead<string> {
  return attempt(() => readFileSync(path, "utf8"));
}

/** Reads where a link points, without following it. */
export function readProcLink(path: string): ProcRead<string> {
  return attempt(() => readlinkSync(path));
}

/** The names in a directory. */
export function readProcDirectory(path: string): ProcRead<readonly string[]> {
  return attempt(() => readdirSync(path));
}

/**
 * Reads a file that the kernel can only answer with the process's memory map locked, such as `cmdline`: where the process
 * hangs with the lock held, that is never. One such read keeps one of the runtime's threads; process.exit ends it.
 *
 * @returns `failed` with `ETIMEDOUT` where there is no answer within `timeoutMs`
 */
export async function readLockedProcFile(path: string, timeoutMs: number): Promise<ProcRead<string>> {
  const late = Promise.withResolvers<ProcRead<string>>();
  const timer = setTimeout(() => late.resolve({ kind: "failed", code: "ETIMEDOUT" }), timeoutMs);
  const answer = readFile(path, "utf8").then((value): ProcRead<string> => ({ kind: "read", value }), failureOf);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** All processes that are to be seen, by rising id. Empty where there is no /proc. */
export function listPids(procDir: string): readonly number[] {
  const names = readProcDirectory(procDir);
  if (names.kind !== "read") return [];
  return names.value
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((one, other) => one - other);
}

function attempt<T>(read: () => T): ProcRead<T> {
  try {
    return { kind: "read", value: read() };
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): Exclude<ProcRead<never>, { readonly kind: "read" }> {
  const code = errorCode(error) ?? "EIO";
  if (code === "EACCES" || code === "EPERM") return { kind: "notPermitted" };
  // ESRCH: it ended after the file was opened.
  if (code === "ENOENT" || code === "ESRCH") return { kind: "gone" };
  return { kind: "failed", code };
}
