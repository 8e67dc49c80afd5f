import { join } from "node:path";
import { type HeldFile, holdDirectory, holdIn } from "./held-file";
import { isLocal, type Mount, type MountTable } from "./mounts";
import { readFailure, readLink } from "../base/reads";

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

/** How many names are looked at for one path, those in its links included: 40 links can have 80,000 names. */
export const MAX_NAMES = 100;

/**
 * Uses a directory as `/`: with `--root /host`, the kubelet's paths mean the same as to the kubelet.
 *
 * A path is walked one component at a time. Absolute links start at the root, `..` stops there, and nothing outside is
 * read. A component on a file system that is not local is not even lstat'ed, because that hangs when its server has
 * gone. Each directory is held while the next name in it is looked at, so a link that takes its place meanwhile is not
 * followed.
 *
 * @param rootDir without symbolic links: see `openRoot`; or `/proc/PID/root`
 * @param mounts as seen from the root
 */
export function createRoot(rootDir: string, mounts: MountTable, boundary: Boundary = isRemote): Root {
  const prefix = rootDir === "/" ? "" : rootDir;
  const outerPath = (path: string) => (path === "/" ? rootDir : prefix + path);
  return {
    mounts,
    outerPath,
    resolve: (path) => {
      using held = new DisposableStack();
      const found = walk({ mounts, boundary, held }, rootDir, path);
      if (found.kind !== "held") return found;
      return { kind: "found", path: found.path, outerPath: outerPath(found.path), file: factsOf(found.file) };
    },
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

interface Walk {
  readonly mounts: MountTable;
  readonly boundary: Boundary;
  /** Everything that is held until the walk has ended. */
  readonly held: DisposableStack;
}

interface Held {
  readonly kind: "held";
  readonly path: string;
  readonly file: HeldFile;
  /** Undefined for the root. */
  readonly parent: Held | undefined;
}

function walk(through: Walk, rootDir: string, path: string): Held | Unresolved {
  // The root may be `/proc/PID/root`, a link that has to be followed rather than read.
  const top = look(through, "/", () => holdDirectory(rootDir));
  if (top.kind !== "held") return top;
  let ahead = componentsOf(path);
  let here = top;
  let links = 0;
  for (let names = 0; ahead.length > 0; names += 1) {
    if (!here.file.stats.isDirectory()) return { kind: "notADirectory", path: here.path };
    if (names === MAX_NAMES) return { kind: "failed", path: here.path, code: "ENAMETOOLONG" };
    const [name = "", ...rest] = ahead;
    const parent = here;
    const next =
      name === ".."
        ? (parent.parent ?? parent)
        : look(through, join(parent.path, name), () => holdIn(parent.file, name), parent);
    if (next.kind !== "held") return next;
    if (!next.file.stats.isSymbolicLink()) {
      [here, ahead] = [next, rest];
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) return { kind: "loop" };
    const target = readLink(`${parent.file.path}/${name}`);
    if (target.kind !== "read") return { ...target, path: next.path };
    ahead = [...componentsOf(target.value), ...rest];
    if (target.value.startsWith("/")) here = top;
  }
  return here;
}

function look({ mounts, boundary, held }: Walk, path: string, hold: () => HeldFile, parent?: Held): Held | Unresolved {
  const mounted = mounts.at(path);
  if (boundary(path, mounted)) return { kind: "offLimits", path, mount: mounted.at(-1) };
  try {
    return { kind: "held", path, file: held.use(hold()), parent };
  } catch (error) {
    return { ...readFailure(error), path };
  }
}

function factsOf({ stats, fileId }: HeldFile): FileFacts {
  return {
    type: stats.isSocket() ? "socket" : stats.isDirectory() ? "directory" : "other",
    fileId,
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
