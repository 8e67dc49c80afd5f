import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { errorCode } from "../base/errors";

/** A socket's file that is held, whatever happens to its path. */
export interface PinnedSocket extends Disposable {
  /** What connect(2) gets: it leads to the file that is held, and follows no other link. */
  readonly path: string;
}

export type PinOutcome =
  | { readonly kind: "pinned"; readonly socket: PinnedSocket }
  /** The path leads to another file by now, or to none. */
  | { readonly kind: "replaced" }
  | { readonly kind: "failed"; readonly code: string };

/**
 * Holds a socket's file between the look at it and the connection: whoever may write to its directory could put a link there
 * in the meantime, and lead this process to any socket. Never throws. Takes /proc.
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

/** A path at which there is nothing: to connect to it says that the socket is missing, and follows no link. */
export const GONE_PATH = "/proc/self/fd/-1";

/** Of open(2), for which node:fs has no name; the same on x86-64 and arm64. */
export const O_PATH = 0o10_000_000;

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);
