import { accessSync, constants, lstatSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "./errors";

/** What the file system says of the place where a driver's socket should be. */
export type SocketFile =
  | {
      readonly kind: "socket";
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
      readonly writable: boolean;
    }
  | { readonly kind: "missing"; readonly missingDirectory: string | undefined }
  | { readonly kind: "danglingLink" }
  | { readonly kind: "notASocket"; readonly type: string }
  /** We may not look: a directory on the way denies it, or the file system fails with `code`. */
  | { readonly kind: "hidden"; readonly code: string };

/** Looks at a socket's path without opening it. Symbolic links are followed, as connect(2) does. Never throws. */
export function lookAtSocketFile(path: string): SocketFile {
  try {
    const stats = statSync(path);
    if (!stats.isSocket()) return { kind: "notASocket", type: fileType(stats) };
    return { kind: "socket", uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o7777, writable: isWritable(path) };
  } catch (error) {
    const code = errorCode(error) ?? "EIO";
    if (code === "ENOENT") return lookWhereItIsMissing(path);
    if (code === "ENOTDIR") return { kind: "notASocket", type: "path through a file that is no directory" };
    if (code === "ELOOP") return { kind: "notASocket", type: "symbolic link that leads back to itself" };
    return { kind: "hidden", code };
  }
}

// connect(2) on a unix socket asks for write permission (unix(7)).
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function lookWhereItIsMissing(path: string): SocketFile {
  if (exists(path)) return { kind: "danglingLink" };
  let missingDirectory: string | undefined;
  for (let directory = dirname(path); !exists(directory); directory = dirname(directory)) missingDirectory = directory;
  return { kind: "missing", missingDirectory };
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function fileType(stats: Stats): string {
  if (stats.isFile()) return "regular file";
  if (stats.isDirectory()) return "directory";
  if (stats.isFIFO()) return "FIFO";
  return "device";
}
