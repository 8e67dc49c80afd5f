import { join } from "node:path";
import { type DirectoryEntry, listEntries } from "./directory-entries";
import type { KubeletRoots } from "./kubelet-roots";
import type { Mount } from "./mounts";
import type { Root } from "./rooted-path";

/** A socket below a kubelet's root: a driver's, a registration socket, or something else's. */
export interface FoundSocket {
  /** As the kubelet sees it, links and all. */
  readonly path: string;
  /** As this process sees it, without symbolic links: what to connect to. */
  readonly outerPath: string;
  readonly directory: SocketDirectory;
  /** `device:inode`: the same for every path to the socket. */
  readonly fileId: string;
}

/** Where drivers listen, where they announce themselves to the kubelet, and where they listened before Kubernetes 1.13. */
export type SocketDirectory = "plugins" | "plugins_registry" | "csi-plugins";

/** What was not looked into. */
export interface Skipped {
  /** As the kubelet sees it. */
  readonly path: string;
  readonly why:
    | { readonly kind: "mount"; readonly mount: Mount }
    /** It lies deeper than `MAX_DEPTH`. */
    | { readonly kind: "depth" }
    /** So many entries had been seen below the kubelet's root: `MAX_ENTRIES`. */
    | { readonly kind: "entries" }
    /** A link to a directory, which is not followed: where it lies below the same directory, it is searched there. */
    | { readonly kind: "link" }
    | { readonly kind: "notPermitted" }
    | { readonly kind: "failed"; readonly code: string };
}

export interface SocketSearch {
  /** One for each device and inode, of several paths the first. */
  readonly sockets: readonly FoundSocket[];
  /** The directories that were there to look into, as the kubelet sees them. */
  readonly searched: readonly string[];
  readonly skipped: readonly Skipped[];
}

/** A socket is found at most so many names below `plugins/`. */
export const MAX_DEPTH = 4;

/** So many entries are looked at below one kubelet's root. A directory is read whole, and what is over in it is not looked at. */
export const MAX_ENTRIES = 2_000;

/** Looks for every socket that drivers may have below the kubelets' roots, and touches no volume on the way. Never throws. */
export function findSockets({ roots, root }: KubeletRoots): SocketSearch {
  const searches = roots.map(({ path }) => searchBelow(root, path));
  const sockets = searches.flatMap((search) => search.sockets);
  return {
    sockets: [...Map.groupBy(sockets, ({ fileId }) => fileId).values()].flatMap((same) => same.slice(0, 1)),
    searched: searches.flatMap((search) => search.searched),
    skipped: searches.flatMap((search) => search.skipped),
  };
}

// The small ones first: what is too large must not hide them.
const DIRECTORIES: readonly SocketDirectory[] = ["plugins_registry", "csi-plugins", "plugins"];

interface Search {
  readonly root: Root;
  readonly sockets: FoundSocket[];
  readonly searched: string[];
  readonly skipped: Skipped[];
  entriesLeft: number;
}

/** A directory that is being searched: as the kubelet sees it, and without links. */
interface Place {
  readonly path: string;
  readonly realPath: string;
  readonly directory: SocketDirectory;
  /** How many names it is below the directory of drivers: that itself is at 0. */
  readonly depth: number;
}

function searchBelow(root: Root, kubeletRoot: string): SocketSearch {
  const search: Search = { root, sockets: [], searched: [], skipped: [], entriesLeft: MAX_ENTRIES };
  for (const directory of DIRECTORIES) {
    let level = open(search, join(kubeletRoot, directory), directory);
    while (level.length > 0) level = level.flatMap((place) => searchIn(search, place));
  }
  return search;
}

function open(search: Search, path: string, directory: SocketDirectory): readonly Place[] {
  const resolved = search.root.resolve(path);
  switch (resolved.kind) {
    case "found":
      if (resolved.file.type !== "directory") return [];
      search.searched.push(path);
      return [{ path, realPath: resolved.path, directory, depth: 0 }];
    case "missing":
    case "notADirectory":
      return [];
    case "offLimits":
      if (resolved.mount !== undefined) skip(search, path, { kind: "mount", mount: resolved.mount });
      return [];
    case "loop":
      return skip(search, path, { kind: "failed", code: "ELOOP" });
    case "notPermitted":
      return skip(search, path, { kind: "notPermitted" });
    case "failed":
      return skip(search, path, { kind: "failed", code: resolved.code });
  }
  return resolved satisfies never;
}

/** Notes the sockets in a directory; returns the directories in it. */
function searchIn(search: Search, place: Place): readonly Place[] {
  if (search.entriesLeft <= 0) return skip(search, place.path, { kind: "entries" });
  const listing = listEntries(search.root, place.realPath);
  switch (listing.kind) {
    case "listed": {
      const entries = listing.entries.slice(0, search.entriesLeft);
      search.entriesLeft -= entries.length;
      if (entries.length < listing.entries.length) skip(search, place.path, { kind: "entries" });
      return entries.flatMap((entry) => noteEntry(search, place, entry));
    }
    case "missing":
      return [];
    case "notPermitted":
      return skip(search, place.path, { kind: "notPermitted" });
    case "failed":
      return skip(search, place.path, { kind: "failed", code: listing.code });
  }
  return listing satisfies never;
}

function noteEntry(search: Search, place: Place, { name, type }: DirectoryEntry): readonly Place[] {
  const { path, realPath, directory, depth } = place;
  const inside = { path: join(path, name), realPath: join(realPath, name), directory, depth: depth + 1 };
  if (isIgnored(inside, name)) return [];
  switch (type.kind) {
    case "socket":
    case "link":
      return noteSocket(search, inside, type.kind);
    case "directory":
      return inside.depth < MAX_DEPTH ? [inside] : skip(search, inside.path, { kind: "depth" });
    case "mount":
      return skip(search, inside.path, { kind: "mount", mount: type.mount });
    case "other":
      return [];
  }
  return type satisfies never;
}

// In `plugins/` it holds staged volumes. In the registry, the kubelet ignores what is hidden.
function isIgnored({ directory, depth }: Place, name: string): boolean {
  if (directory === "plugins_registry") return name.startsWith(".");
  return directory === "plugins" && depth === 1 && name === "kubernetes.io";
}

function noteSocket(search: Search, { path, realPath, directory }: Place, kind: "socket" | "link"): readonly Place[] {
  const resolved = search.root.resolve(realPath);
  switch (resolved.kind) {
    case "found": {
      const { outerPath, file } = resolved;
      if (file.type === "socket") search.sockets.push({ path, outerPath, directory, fileId: file.fileId });
      if (file.type === "directory" && kind === "link") skip(search, path, { kind: "link" });
      return [];
    }
    // A link to nowhere, or a socket that is gone by now.
    case "missing":
    case "notADirectory":
    case "loop":
      return [];
    case "offLimits":
      return resolved.mount === undefined ? [] : skip(search, path, { kind: "mount", mount: resolved.mount });
    case "notPermitted":
      return skip(search, path, { kind: "notPermitted" });
    case "failed":
      return skip(search, path, { kind: "failed", code: resolved.code });
  }
  return resolved satisfies never;
}

function skip(search: Search, path: string, why: Skipped["why"]): readonly Place[] {
  search.skipped.push({ path, why });
  return [];
}
