import { join } from "node:path";
import { type DirectoryEntry, listEntries } from "./directory-entries";
import { type KubeletRoots, SOCKET_DIRECTORIES } from "./kubelet-roots";
import type { Mount } from "./mounts";
import type { Resolution, Root } from "./rooted-path";

/** A socket below a kubelet's root: a driver's, a registration socket, or something else's. */
export interface FoundSocket {
  /** As the kubelet sees it, links and all. */
  readonly path: string;
  /** As this process sees it, without symbolic links: what to connect to. */
  readonly outerPath: string;
  readonly directory: SocketDirectory;
  /** `device:inode`: the same for every path to the socket. */
  readonly fileId: string;
  /** The user id that the file belongs to. */
  readonly ownerUid: number;
}

/** Where drivers listen, where they announce themselves to the kubelet, and where they listened before Kubernetes 1.13. */
export type SocketDirectory = (typeof SOCKET_DIRECTORIES)[number];

/** What was not looked into. */
export interface Skipped {
  /** As the kubelet sees it. */
  readonly path: string;
  readonly why:
    | { readonly kind: "mount"; readonly mount: Mount }
    /** It lies deeper than `MAX_DEPTH`. */
    | { readonly kind: "depth" }
    /** It holds more than `MAX_ENTRIES`, or more than `MAX_SOCKETS`: the rest was not looked at. */
    | { readonly kind: "entries" | "sockets" }
    /** A link to a directory that is not searched by its own name. */
    | { readonly kind: "link" }
    /** A link to a socket outside of the kubelet's directory. */
    | { readonly kind: "outside"; readonly target: string }
    /** Its name is not UTF-8. */
    | { readonly kind: "name" }
    /** It is so large that it was not read: `MAX_DIRECTORY_BYTES`. */
    | { readonly kind: "tooLarge" }
    | { readonly kind: "notPermitted" }
    | { readonly kind: "failed"; readonly code: string };
}

export interface SocketSearch {
  /** One for each device and inode, of several paths the first. */
  readonly sockets: readonly FoundSocket[];
  readonly skipped: readonly Skipped[];
}

/** A socket is found at most so many names below `plugins/`. */
export const MAX_DEPTH = 4;

/**
 * So many directories, links and sockets are looked at in each directory right in `plugins/`, with all below it, and so many
 * right in `plugins/`: a driver that fills its directory hides no other one. A directory is read whole, and regular files do
 * not count.
 */
export const MAX_ENTRIES = 2_000;

/** So many sockets are taken from each of them: every one costs a connection. */
export const MAX_SOCKETS = 100;

/** Looks for every socket that drivers may have below the kubelets' roots, and touches no volume on the way. Never throws. */
export function findSockets(kubelets: KubeletRoots): SocketSearch {
  const search: Search = { ...kubelets, sockets: [], skipped: [] };
  for (const { path } of kubelets.roots) {
    for (const directory of SOCKET_DIRECTORIES) {
      let level = open(search, join(path, directory), directory);
      while (level.length > 0) level = level.flatMap((place) => searchIn(search, place));
    }
  }
  const { sockets, skipped } = search;
  const first = [...Map.groupBy(sockets, ({ fileId }) => fileId).values()].flatMap((same) => same.slice(0, 1));
  return { sockets: first, skipped };
}

interface Search {
  readonly root: Root;
  readonly holds: (realPath: string) => boolean;
  readonly sockets: FoundSocket[];
  readonly skipped: Skipped[];
}

/** A directory that is being searched: as the kubelet sees it, and without links. */
interface Place {
  readonly path: string;
  readonly realPath: string;
  readonly directory: SocketDirectory;
  /** `plugins/` or another of them, without links. */
  readonly top: string;
  /** How many names it is below the directory of drivers: that itself is at 0. */
  readonly depth: number;
  readonly budget: Budget;
}

/** What is left for a driver's directory. */
interface Budget {
  entries: number;
  sockets: number;
}

function fullBudget(): Budget {
  return { entries: MAX_ENTRIES, sockets: MAX_SOCKETS };
}

function open(search: Search, path: string, directory: SocketDirectory): readonly Place[] {
  const resolved = search.root.resolve(path);
  switch (resolved.kind) {
    case "found":
      if (resolved.file.type !== "directory") return [];
      return [{ path, realPath: resolved.path, directory, top: resolved.path, depth: 0, budget: fullBudget() }];
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
  const listing = listEntries(search.root, place.realPath);
  switch (listing.kind) {
    case "listed": {
      const { budget } = place;
      const entries = listing.entries.filter(({ type }) => type.kind !== "other");
      const looked = entries.slice(0, budget.entries);
      budget.entries -= looked.length;
      if (looked.length < entries.length) skip(search, place.path, { kind: "entries" });
      return looked.flatMap((entry) => noteEntry(search, place, entry));
    }
    case "missing":
      return [];
    case "tooLarge":
    case "notPermitted":
      return skip(search, place.path, { kind: listing.kind });
    case "failed":
      return skip(search, place.path, { kind: "failed", code: listing.code });
  }
  return listing satisfies never;
}

function noteEntry(search: Search, place: Place, { name, type }: DirectoryEntry): readonly Place[] {
  const inside: Place = {
    ...place,
    path: join(place.path, name),
    realPath: join(place.realPath, name),
    depth: place.depth + 1,
    budget: place.depth === 0 && type.kind === "directory" ? fullBudget() : place.budget,
  };
  if (isIgnored(inside, name)) return [];
  switch (type.kind) {
    case "socket":
    case "link":
      return noteSocket(search, inside, place.path);
    case "directory":
      return inside.depth < MAX_DEPTH ? [inside] : skip(search, inside.path, { kind: "depth" });
    case "mount":
      return skip(search, inside.path, { kind: "mount", mount: type.mount });
    case "name":
      return skip(search, inside.path, { kind: "name" });
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

function noteSocket(search: Search, place: Place, parent: string): readonly Place[] {
  const { path, realPath } = place;
  const resolved = search.root.resolve(realPath);
  switch (resolved.kind) {
    case "found":
      return noteFound(search, place, parent, resolved);
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

type Found = Extract<Resolution, { readonly kind: "found" }>;

function noteFound(search: Search, place: Place, parent: string, { path, outerPath, file }: Found): readonly Place[] {
  switch (file.type) {
    case "socket": {
      if (!search.holds(path)) return skip(search, place.path, { kind: "outside", target: path });
      if (place.budget.sockets === 0) return skip(search, parent, { kind: "sockets" });
      place.budget.sockets -= 1;
      const { fileId, uid: ownerUid } = file;
      search.sockets.push({ path: place.path, outerPath, directory: place.directory, fileId, ownerUid });
      return [];
    }
    case "directory":
      return path.startsWith(`${place.top}/`) ? [] : skip(search, place.path, { kind: "link" });
    case "other":
      return [];
  }
  return file.type satisfies never;
}

function skip(search: Search, path: string, why: Skipped["why"]): readonly Place[] {
  const told = search.skipped.at(-1);
  // Of many sockets too many, the note is one.
  if (told?.path !== path || told.why.kind !== why.kind) search.skipped.push({ path, why });
  return [];
}
