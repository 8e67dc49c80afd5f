import { type BigIntStats, lstatSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { isLocal, type Mount, type MountTable } from "./mounts";
import { readFailure } from "./reads";

/** What a path inside a root leads to. All paths but `outerPath` are as seen from that root. */
export type Resolution =
  | {
      readonly kind: "found";
      /** The same place without symbolic links. */
      readonly path: string;
      /** The same place for this process. */
      readonly outerPath: string;
      readonly file: FileFacts;
    }
  /** `path` is the first component that is missing. */
  | { readonly kind: "missing"; readonly path: string }
  /** `path` is not a directory, and more components follow it. */
  | { readonly kind: "notADirectory"; readonly path: string }
  /** More symbolic links than Linux follows. */
  | { readonly kind: "loop" }
  | { readonly kind: "notPermitted"; readonly path: string }
  /** `path` is not looked at: its mount may never answer, or volumes are there. */
  | { readonly kind: "offLimits"; readonly path: string; readonly mount: Mount | undefined }
  | { readonly kind: "failed"; readonly path: string; readonly code: string };

export type Unresolved = Exclude<Resolution, { readonly kind: "found" }>;

/** What lstat(2) says of a file that is not a symbolic link. */
export interface FileFacts {
  readonly type: "socket" | "directory" | "other";
  /** `device:inode`: the same for every path to the file. */
  readonly fileId: string;
  readonly uid: number;
  readonly gid: number;
  /** The permission bits. */
  readonly mode: number;
}

/** A directory that is used as `/`. */
export interface Root {
  /** What is mounted in it, by paths inside it. */
  readonly mounts: MountTable;
  /** Resolves an absolute path as the kernel would for a process with this root. Never throws. */
  resolve(path: string): Resolution;
  /** Translates a path inside the root, without symbolic links, for this process. */
  outerPath(path: string): string;
  /** The same root with one more boundary. */
  avoiding(boundary: Boundary): Root;
}

/** Whether a path without symbolic links, with the mounts on it, must not be touched. */
export type Boundary = (path: string, mounts: readonly Mount[]) => boolean;

/** How many symbolic links Linux follows in a path (path_resolution(7)). */
export const MAX_LINKS = 40;

/**
 * Uses a directory as `/`: with `--root /host`, the kubelet's paths mean the same as to the kubelet.
 *
 * A path is walked one component at a time. Absolute links start at the root, `..` stops there, and nothing outside is read. A
 * component on a file system that is not local is not even lstat'ed, because that hangs when its server has gone.
 *
 * @param rootDir without symbolic links: see `openRoot`; or `/proc/PID/root`
 * @param mounts as seen from the root
 */
export function createRoot(rootDir: string, mounts: MountTable, boundary: Boundary = isRemote): Root {
  const prefix = rootDir === "/" ? "" : rootDir;
  const outerPath = (path: string) => (path === "/" ? rootDir : prefix + path);
  const look = (path: string): Look => {
    const mounted = mounts.at(path);
    if (boundary(path, mounted)) return { kind: "offLimits", path, mount: mounted.at(-1) };
    return lookAt(path, outerPath(path));
  };
  return {
    mounts,
    outerPath,
    resolve: (path) => walk(look, path),
    avoiding: (more) => createRoot(rootDir, mounts, (path, mounted) => boundary(path, mounted) || more(path, mounted)),
  };
}

/** Uses the directory at `rootDir`, an absolute path of this process, as `/`. */
export function openRoot(
  rootDir: string,
  mounts: MountTable,
): { readonly kind: "opened"; readonly root: Root } | Unresolved {
  const found = createRoot("/", mounts).resolve(rootDir);
  if (found.kind !== "found") return found;
  if (found.file.type !== "directory") return { kind: "notADirectory", path: found.path };
  return { kind: "opened", root: createRoot(found.path, mounts.seenFrom(found.path)) };
}

// The root itself is in use already, whatever it is on.
function isRemote(path: string, mounts: readonly Mount[]): boolean {
  return path !== "/" && !mounts.every(isLocal);
}

type Look = Resolution | { readonly kind: "link"; readonly target: string };

function walk(look: (path: string) => Look, path: string): Resolution {
  let ahead = componentsOf(path);
  let here = look("/");
  let links = 0;
  while (ahead.length > 0 && here.kind === "found") {
    if (here.file.type !== "directory") return { kind: "notADirectory", path: here.path };
    const [name = "", ...rest] = ahead;
    ahead = rest;
    const next = look(name === ".." ? dirname(here.path) : join(here.path, name));
    if (next.kind === "link") {
      links += 1;
      if (links > MAX_LINKS) return { kind: "loop" };
      ahead = [...componentsOf(next.target), ...ahead];
      if (next.target.startsWith("/")) here = look("/");
    } else {
      here = next;
    }
  }
  return here.kind === "link" ? { kind: "loop" } : here;
}

function lookAt(path: string, outerPath: string): Look {
  try {
    // The root may be `/proc/PID/root`, a link that has to be followed rather than read.
    const stats = lstatSync(path === "/" ? `${outerPath}/.` : outerPath, { bigint: true });
    if (stats.isSymbolicLink()) return { kind: "link", target: readlinkSync(outerPath) };
    return { kind: "found", path, outerPath, file: factsOf(stats) };
  } catch (error) {
    return { ...readFailure(error), path };
  }
}

function factsOf(stats: BigIntStats): FileFacts {
  return {
    type: stats.isSocket() ? "socket" : stats.isDirectory() ? "directory" : "other",
    fileId: `${stats.dev}:${stats.ino}`,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mode: Number(stats.mode) & 0o7777,
  };
}

function componentsOf(path: string): readonly string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** Why a path cannot be used, in words. */
export function resolutionText(resolution: Unresolved): string {
  if (resolution.kind === "failed") return resolution.code;
  if (resolution.kind !== "offLimits") return UNRESOLVED[resolution.kind];
  const { mount } = resolution;
  return mount === undefined
    ? "volumes are there, which are not touched"
    : `${mount.fsType} is mounted there, which may never answer`;
}

const UNRESOLVED = {
  missing: "no such directory",
  notADirectory: "not a directory",
  loop: "its links lead back to themselves",
  notPermitted: "we may not look there",
} as const;
