import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { attempt, errorCode } from "./errors";

/** What reading one of the node's files returned. */
export type Read<T> =
  | { readonly kind: "read"; readonly value: T }
  /** By its mode or, below /proc, for another user or without SYS_PTRACE (ptrace(2), "access mode checking"). */
  | { readonly kind: "notPermitted" }
  /** It does not exist: below /proc, the process has ended. */
  | { readonly kind: "missing" }
  | { readonly kind: "failed"; readonly code: string };

/** Reads a file that is known to answer at once; empty where it cannot be read. */
export function readText(path: string, encoding: "utf8" | "latin1" = "utf8"): string {
  return attempt(() => readFileSync(path, encoding)) ?? "";
}

/** Reads the target of a link. Never throws. */
export function readLink(path: string): Read<string> {
  return classified(() => readlinkSync(path));
}

/** Reads the names in a directory. Never throws. */
export function readNames(path: string): Read<readonly string[]> {
  return classified(() => readdirSync(path));
}

/** What was read; undefined where the reason for a failure does not matter. */
export function valueOf<T>(read: Read<T>): T | undefined {
  return read.kind === "read" ? read.value : undefined;
}

/** Classifies an error of the file system. */
export function readFailure(error: unknown): Exclude<Read<never>, { readonly kind: "read" }> {
  const code = errorCode(error) ?? "EIO";
  if (code === "EACCES" || code === "EPERM") return { kind: "notPermitted" };
  // ESRCH: the process ended after its file was opened.
  if (code === "ENOENT" || code === "ESRCH") return { kind: "missing" };
  return { kind: "failed", code };
}

function classified<T>(call: () => T): Read<T> {
  try {
    return { kind: "read", value: call() };
  } catch (error) {
    return readFailure(error);
  }
}
