import { accessSync, constants, lstatSync, statSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { attempt, errorCode } from "../base/errors";
import type { FilePermissions } from "./permission";
import { readRights, type Rights } from "./rights";

/** What the file system says of the place where a driver's socket should be. */
export type SocketFile =
  | (FilePermissions & {
      readonly kind: "socket";
      /** Whether access(2) says that we may write to it. */
      readonly writable: boolean;
      readonly rights: Rights;
    })
  | { readonly kind: "missing"; readonly missingDirectory: string | undefined }
  | { readonly kind: "danglingLink" }
  | { readonly kind: "notASocket"; readonly type: string }
  /** We may not look: a directory on the way denies it to us. It is undefined where it lies behind a symbolic link. */
  | { readonly kind: "unreachable"; readonly directory: Directory | undefined; readonly rights: Rights }
  /** The file system fails with `code`. */
  | { readonly kind: "hidden"; readonly code: string };

export interface Directory extends FilePermissions {
  readonly path: string;
}

/** Looks at a socket's path without opening it. Symbolic links are followed, as connect(2) does. Never throws. */
export function lookAtSocketFile(path: string): SocketFile {
  try {
    const stats = statSync(path);
    if (!stats.isSocket()) return { kind: "notASocket", type: fileType(stats) };
    // connect(2) on a unix socket asks for write permission (unix(7)).
    const writable = attempt(() => {
      accessSync(path, constants.W_OK);
      return true;
    });
    return { kind: "socket", ...permissionsOf(stats), writable: writable ?? false, rights: readRights() };
  } catch (error) {
    const code = errorCode(error) ?? "EIO";
    if (code === "ENOENT") return lookWhereItIsMissing(path);
    if (code === "ENOTDIR") return { kind: "notASocket", type: "path through a file that is no directory" };
    if (code === "ELOOP") return { kind: "notASocket", type: "symbolic link that leads back to itself" };
    if (code === "EACCES" || code === "EPERM")
      return { kind: "unreachable", directory: findClosedDirectory(path), rights: readRights() };
    return { kind: "hidden", code };
  }
}

function permissionsOf({ uid, gid, mode }: Stats): FilePermissions {
  return { uid, gid, mode: mode & 0o7777 };
}

/** The directory on the way in which nothing can be looked up. */
function findClosedDirectory(path: string): Directory | undefined {
  let directory: Directory = { path: "/", ...permissionsOf(statSync("/")) };
  for (const name of path.split("/").filter((part) => part !== "")) {
    const next = join(directory.path, name);
    if (attempt(() => lstatSync(next)) === undefined) return directory;
    const stats = attempt(() => statSync(next));
    if (stats === undefined) return undefined;
    directory = { path: next, ...permissionsOf(stats) };
  }
  return undefined;
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
