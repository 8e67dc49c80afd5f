import { type Dirent, lstatSync, type Stats } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { startSlices } from "../base/slices";
import { holdWithoutLinks } from "./held-file";
import { type Read, readFailure } from "../base/reads";
import type { Root } from "./rooted-path";

/** An entry that may be a socket or lead to one. Regular files and the like are left out. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind:
    | "socket"
    | "directory"
    | "link"
    /** A mount point, which is not looked at. */
    | "mount"
    /** Its name is not UTF-8 (or contains U+FFFD), so the text names no file, or another one. */
    | "name";
  /** Of a mount. */
  readonly fsType?: string;
}

/** About 300,000 names. */
export const MAX_DIRECTORY_BYTES = 8 * 1_024 * 1_024;

/** What `st_blocks` counts in (stat(3type)). */
const BLOCK_BYTES = 512;

/**
 * Lists a directory in the order of names, without touching its mount points. Types come from the directory
 * (readdir(3)), not from the files. The directory is read on another thread, and signals are served in between. Never
 * rejects.
 *
 * @param directory a path of the root without symbolic links
 * @param budget how many bytes of directories, by lstat(2), may still be read; what is read is taken from it. A larger
 *   directory is `tooLarge`, because the runtime reads a whole one into memory
 */
export async function listEntries(
  root: Root,
  directory: string,
  budget: { bytes: number },
): Promise<Read<readonly DirectoryEntry[]> | { readonly kind: "tooLarge" }> {
  try {
    using held = holdWithoutLinks(root.outerPath(directory));
    const outer = held.path;
    // On ZFS, st_size is the number of names and the blocks are its size; btrfs and tmpfs have no blocks.
    const { size, blocks } = held.stats;
    const bytes = Math.max(Number(size), Number(blocks) * BLOCK_BYTES);
    if (bytes > budget.bytes) return { kind: "tooLarge" };
    budget.bytes -= bytes;
    const hasMounts = root.mounts.hasMountsIn(directory);
    const files = hasMounts ? await readdir(outer) : await readdir(outer, { withFileTypes: true });
    const entries: DirectoryEntry[] = [];
    for await (const slice of startSlices(Infinity).of<string | Dirent>(files))
      for (const file of slice) {
        const entry = typeof file === "string" ? lookAt(root, directory, outer, file) : entryOf(file.name, file);
        if (entry !== undefined) entries.push(entry);
      }
    return { kind: "read", value: entries.toSorted((one, other) => (one.name < other.name ? -1 : 1)) };
  } catch (error) {
    return readFailure(error);
  }
}

// On a file system whose directories have no types, the runtime would call lstat(2) on every entry, mount points
// included.
function lookAt({ mounts }: Root, directory: string, outer: string, name: string): DirectoryEntry | undefined {
  const mount = mounts.at(join(directory, name)).at(-1);
  if (mount !== undefined) return { name, kind: "mount", fsType: mount.fsType };
  if (!isUtf8(name)) return { name, kind: "name" };
  const stats = lstatSync(`${outer}/${name}`, { throwIfNoEntry: false });
  return stats && entryOf(name, stats);
}

function entryOf(name: string, file: Dirent | Stats): DirectoryEntry | undefined {
  const kind = file.isSocket()
    ? "socket"
    : file.isDirectory()
      ? "directory"
      : file.isSymbolicLink()
        ? "link"
        : undefined;
  return kind && { name, kind: isUtf8(name) ? kind : "name" };
}

// The runtime replaces what is not UTF-8 by U+FFFD.
function isUtf8(name: string): boolean {
  return !name.includes("\ufffd");
}
