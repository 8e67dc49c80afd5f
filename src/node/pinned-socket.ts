import { errorCode } from "../base/errors";
import { type HeldFile, holdWithoutLinks } from "./held-file";

/** A socket's file, held open: `path` is what to connect to. */
export type PinnedSocket = Pick<HeldFile, "path" | typeof Symbol.dispose>;

export type PinOutcome =
  | { readonly kind: "pinned"; readonly socket: PinnedSocket }
  /** The path now leads to another file, or to none. */
  | { readonly kind: "replaced" }
  | { readonly kind: "failed"; readonly code: string };

/**
 * Holds a socket's file from the look at it until the connection. In between, anyone who may write to a directory on
 * the way could put a link there and choose what this process connects to. Never throws. Needs /proc.
 *
 * @param outerPath where this process has seen it, without symbolic links
 * @param fileId `device:inode`, as it was seen
 * @param birth when it was made, in nanoseconds, where that is known: ext4 gives the inode of a removed file to the
 *   next one
 */
export function pinSocket(outerPath: string, fileId: string, birth?: bigint): PinOutcome {
  try {
    const socket = holdWithoutLinks(outerPath);
    const isSame = socket.fileId === fileId && (birth === undefined || socket.stats.birthtimeNs === birth);
    if (isSame) return { kind: "pinned", socket };
    socket[Symbol.dispose]();
    return { kind: "replaced" };
  } catch (error) {
    const code = errorCode(error) ?? "EIO";
    return GONE.has(code) ? { kind: "replaced" } : { kind: "failed", code };
  }
}

/** A path that leads to nothing: connecting to it fails with ENOENT, and follows no link. */
export const GONE_PATH = "/proc/self/fd/-1";

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);
