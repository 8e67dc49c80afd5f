import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { errorCode } from "../base/errors";

/** What a read of the node came to. */
export type Read<T> =
  | { readonly kind: "read"; readonly value: T }
  /** Its mode denies it, or, below /proc, the kernel: to another user, or for want of SYS_PTRACE (ptrace(2), "access mode checking"). */
  | { readonly kind: "notPermitted" }
  /** It does not exist: below /proc, the process has ended. */
  | { readonly kind: "missing" }
  | { readonly kind: "failed"; readonly code: string };

/** Reads a file, of which it is known that it answers at once. Never throws. */
export function readText(path: string): Read<string> {
  return attempt(() => readFileSync(path, "utf8"));
}

/** The same with each byte as one character. */
export function readBytes(path: string): Read<string> {
  return attempt(() => readFileSync(path, "latin1"));
}

/** Reads where a link points, without following it. Never throws. */
export function readLink(path: string): Read<string> {
  return attempt(() => readlinkSync(path));
}

/** Reads the names in a directory. Never throws. */
export function readNames(path: string): Read<readonly string[]> {
  return attempt(() => readdirSync(path));
}

/** What was read, where it does not matter why it was not. */
export function valueOf<T>(read: Read<T>): T | undefined {
  return read.kind === "read" ? read.value : undefined;
}

/** What an error of the file system says of a read. */
export function readFailure(error: unknown): Exclude<Read<never>, { readonly kind: "read" }> {
  const code = errorCode(error) ?? "EIO";
  if (code === "EACCES" || code === "EPERM") return { kind: "notPermitted" };
  // ESRCH: a process that ended after its file was opened.
  if (code === "ENOENT" || code === "ESRCH") return { kind: "missing" };
  return { kind: "failed", code };
}

function attempt<T>(read: () => T): Read<T> {
  try {
    return { kind: "read", value: read() };
  } catch (error) {
    return readFailure(error);
  }
}
