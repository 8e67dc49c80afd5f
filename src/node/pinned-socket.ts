import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { errorCode } from "../base/errors";

/** A socket's file, held open: it stays the same file, whatever happens to its path. */
export interface PinnedSocket extends Disposable {
  /** What to connect to: it leads to the held file and follows no other link. */
  readonly path: string;
}

export type PinOutcome =
  | { readonly kind: "pinned"; readonly socket: PinnedSocket }
  /** The path now leads to another file, or to none. */
  | { readonly kind: "replaced" }
  | { readonly kind: "failed"; readonly code: string };

/**
 * Holds a socket's file from the look at it until the connection. In between, anyone who may write to its directory could put a
 * link there and choose what this process connects to. Never throws. Needs /proc.
 *
 * @param outerPath where this process has seen it, without symbolic links
 * @param fileId `device:inode`, as it was seen
 */
export function pinSocket(outerPath: string, fileId: string): PinOutcome {
  try {
    const fd = openSync(outerPath, O_PATH | constants.O_NOFOLLOW);
    const { dev, ino } = fstatSync(fd, { bigint: true });
    const socket = { path: `/proc/self/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
    if (`${dev}:${ino}` === fileId) return { kind: "pinned", socket };
    socket[Symbol.dispose]();
    return { kind: "replaced" };
  } catch (error) {
    const code = errorCode(error) ?? "EIO";
    return GONE.has(code) ? { kind: "replaced" } : { kind: "failed", code };
  }
}

/** A path that leads to nothing: connecting to it fails with ENOENT, and follows no link. */
export const GONE_PATH = "/proc/self/fd/-1";

/** Of open(2), for which node:fs has no name; the same on x86-64 and arm64. */
export const O_PATH = 0o10_000_000;

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);
