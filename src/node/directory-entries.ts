import { type Dirent, lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../base/errors";
import type { Mount } from "./mounts";
import type { Root } from "./rooted-path";

export interface DirectoryEntry {
  readonly name: string;
  readonly type: EntryType;
}

export type EntryType =
  | { readonly kind: "socket" | "directory" | "link" | "other" }
  /** Something is mounted on it; what, is not looked at. */
  | { readonly kind: "mount"; readonly mount: Mount }
  /** Its name is not UTF-8 (or has U+FFFD in it): the text leads to no file, or to another one. */
  | { readonly kind: "name" };

export type EntriesOutcome =
  | { readonly kind: "listed"; readonly entries: readonly DirectoryEntry[] }
  | { readonly kind: "notPermitted" }
  | { readonly kind: "missing" }
  /** It is larger than `MAX_DIRECTORY_BYTES`: a directory is read whole, and this one would take the memory. */
  | { readonly kind: "tooLarge" }
  | { readonly kind: "failed"; readonly code: string };

/** Of the directory itself, as lstat(2) has it: some 300,000 entries. */
export const MAX_DIRECTORY_BYTES = 8 * 1_024 * 1_024;

/**
 * Lists a directory, by name, without touching what is mounted in it. Types come from the directory itself (readdir(3)), not
 * from the files. Never throws.
 *
 * @param directory a path of the root without symbolic links
 */
export function listEntries(root: Root, directory: string): EntriesOutcome {
  try {
    const outer = root.outerPath(directory);
    if (lstatSync(outer).size > MAX_DIRECTORY_BYTES) return { kind: "tooLarge" };
    const entries = root.mounts.hasMountsIn(directory)
      ? readdirSync(outer).flatMap((name) => lookAt(root, directory, name))
      : readdirSync(outer, { withFileTypes: true }).map((entry) => ({ name: entry.name, type: entryType(entry) }));
    return { kind: "listed", entries: entries.toSorted((one, other) => (one.name < other.name ? -1 : 1)) };
  } catch (error) {
    return failureOf(errorCode(error) ?? "EIO");
  }
}

// Where a file system tells no types in its directories, the runtime lstats every entry by itself: a mount would be touched.
function lookAt(root: Root, directory: string, name: string): readonly DirectoryEntry[] {
  if (isNotUtf8(name)) return [{ name, type: { kind: "name" } }];
  const path = join(directory, name);
  const mount = root.mounts.at(path).at(-1);
  if (mount !== undefined) return [{ name, type: { kind: "mount", mount } }];
  const stats = lstatSync(root.outerPath(path), { throwIfNoEntry: false });
  return stats === undefined ? [] : [{ name, type: typeOf(stats) }];
}

function entryType(entry: Dirent): EntryType {
  return isNotUtf8(entry.name) ? { kind: "name" } : typeOf(entry);
}

// The runtime reads names as UTF-8, with U+FFFD for what is not.
function isNotUtf8(name: string): boolean {
  return name.includes("\ufffd");
}

function typeOf(entry: Dirent | Stats): EntryType {
  if (entry.isSocket()) return { kind: "socket" };
  if (entry.isDirectory()) return { kind: "directory" };
  return { kind: entry.isSymbolicLink() ? "link" : "other" };
}

function failureOf(code: string): EntriesOutcome {
  if (code === "EACCES" || code === "EPERM") return { kind: "notPermitted" };
  return code === "ENOENT" ? { kind: "missing" } : { kind: "failed", code };
}
