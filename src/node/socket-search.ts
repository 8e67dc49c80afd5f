import { join } from "node:path";
import { startSlices, type Slices } from "../base/slices";
import { type DirectoryEntry, listEntries, MAX_DIRECTORY_BYTES } from "./directory-entries";
import { type KubeletRoots, SOCKET_DIRECTORIES } from "./kubelet-roots";
import type { Resolution, Root, Unresolved } from "./rooted-path";

/** A socket that may be a driver's. */
export interface NodeSocket {
  /** As the kubelet sees it, with its links. */
  readonly path: string;
  /** As this process sees it, without symbolic links. */
  readonly outerPath: string;
  /** `device:inode`: the same for every path to the socket. */
  readonly fileId: string;
  /** The user id that the file belongs to. */
  readonly ownerUid: number;
}

/** A socket below a kubelet's root: of a driver, a registrar or something else. */
export interface FoundSocket extends NodeSocket {
  readonly directory: SocketDirectory;
}

/** `plugins` is where drivers listen, `csi-plugins` where they listened before Kubernetes 1.13. */
export type SocketDirectory = (typeof SOCKET_DIRECTORIES)[number];

/** What was not looked into. */
export interface Skipped {
  /** As the kubelet sees it. */
  readonly path: string;
  /** The driver's directory in `plugins/`, or `plugins/` itself. */
  readonly within: string;
  readonly kind: keyof typeof SKIPPED;
  /** The type of a mount, the target of a link outside, or the code of an error. */
  readonly detail: string;
}

export interface SocketSearch {
  /** One for each device and inode: of several paths the first that is no link. */
  readonly sockets: readonly FoundSocket[];
  readonly skipped: readonly Skipped[];
  /** Drivers' directories that were seen whole and have no socket. */
  readonly withoutSocket: readonly string[];
}

/** How many names below `plugins/` a socket may be. */
export const MAX_DEPTH = 4;

/**
 * How many directories, links and sockets are looked at below each driver's directory, and how many in `plugins/` itself. So a
 * driver that fills its directory hides no other driver. Regular files do not count.
 */
export const MAX_ENTRIES = 2_000;

/** How many sockets are taken from each: every one costs a connection. */
export const MAX_SOCKETS = 100;

/** What follows the path, and is followed by the detail. */
const SKIPPED = {
  mount: "was not looked into: it is a mount of the type ",
  depth: `was not looked into: it lies more than ${MAX_DEPTH} directories deep`,
  entries: `was not looked at whole: it holds more than ${MAX_ENTRIES} entries that are not regular files`,
  sockets: `was not looked at whole: it holds more than ${MAX_SOCKETS} sockets`,
  link: "was not looked into: it is a link to a directory elsewhere",
  outside: "was not asked: it is a link out of the kubelet's directory, to ",
  name: "was not looked at: its name is not UTF-8",
  tooLarge: "was not looked into: too many files are there to be listed",
  notPermitted: "may not be looked into by us",
  failed: "could not be looked into: ",
} as const;

/** What was left out, and why. */
export function skippedText({ path, kind, detail }: Skipped): string {
  return `${path} ${SKIPPED[kind]}${detail}`;
}

/** Finds every socket of a driver below the kubelets' roots, and touches no volume. Signals are served meanwhile. Never rejects. */
export async function findSockets(kubelets: KubeletRoots): Promise<SocketSearch> {
  const slices = startSlices(Infinity);
  const search: Search = { ...kubelets, slices, owners: [], sockets: [], linked: [], skipped: [] };
  const queue = kubelets.roots.flatMap(({ path }) =>
    SOCKET_DIRECTORIES.flatMap((directory) => open(search, join(path, directory), directory)),
  );
  // It grows while it is read: the directories of one level come before those below them.
  // oxlint-disable-next-line no-await-in-loop -- one slice after the other is the point
  for (const place of queue) queue.push(...(await searchIn(search, place)));
  const { skipped, owners } = search;
  const incomplete = new Set(skipped.map(({ within }) => within));
  // The file itself first: a link in another driver's directory must not take its place.
  const byFileId = Map.groupBy([...search.sockets, ...search.linked], ({ fileId }) => fileId);
  return {
    sockets: [...byFileId.values()].flatMap((same) => same.slice(0, 1)),
    skipped,
    withoutSocket: owners
      .filter((owner) => owner.sockets === MAX_SOCKETS && !incomplete.has(owner.path))
      .map(({ path }) => path),
  };
}

interface Search {
  readonly root: Root;
  readonly holds: (realPath: string) => boolean;
  readonly slices: Slices;
  /** The drivers' directories. */
  readonly owners: Owner[];
  readonly sockets: FoundSocket[];
  /** Those that a link leads to. */
  readonly linked: FoundSocket[];
  readonly skipped: Skipped[];
}

/** A directory that is being searched: as the kubelet sees it, and without links. */
interface Place {
  readonly path: string;
  readonly realPath: string;
  readonly directory: SocketDirectory;
  /** `plugins/` or another of them, without links. */
  readonly top: string;
  /** 0 is the directory of all drivers itself. */
  readonly depth: number;
  readonly owner: Owner;
}

/** A driver's directory, or that of all drivers, with how much may still be taken from it. */
interface Owner {
  readonly path: string;
  entries: number;
  sockets: number;
  /** Of its directories themselves: regular files are no entries, but listing them takes time. */
  bytes: number;
}

function newOwner(path: string): Owner {
  return { path, entries: MAX_ENTRIES, sockets: MAX_SOCKETS, bytes: MAX_DIRECTORY_BYTES };
}

function open(search: Search, path: string, directory: SocketDirectory): readonly Place[] {
  const resolved = search.root.resolve(path);
  const owner = newOwner(path);
  if (resolved.kind !== "found") return skipUnresolved(search, { path, owner }, resolved);
  if (resolved.file.type !== "directory") return [];
  return [{ path, realPath: resolved.path, directory, top: resolved.path, depth: 0, owner }];
}

/** Notes the sockets in a directory; returns the directories in it. */
async function searchIn(search: Search, place: Place): Promise<readonly Place[]> {
  const listing = await listEntries(search.root, place.realPath, search.slices, place.owner);
  if (listing.kind === "read") return noteEntries(search, place, listing.value);
  if (listing.kind === "missing") return [];
  return skip(search, place, listing.kind, listing.kind === "failed" ? listing.code : "");
}

async function noteEntries(
  search: Search,
  place: Place,
  entries: readonly DirectoryEntry[],
): Promise<readonly Place[]> {
  const { owner } = place;
  const looked = entries.slice(0, owner.entries);
  owner.entries -= looked.length;
  if (looked.length < entries.length) skip(search, place, "entries");
  const inside: Place[] = [];
  for (const entry of looked) {
    inside.push(...noteEntry(search, place, entry));
    // oxlint-disable-next-line no-await-in-loop -- one slice after the other is the point
    await search.slices.pause();
  }
  return inside;
}

function noteEntry(search: Search, parent: Place, { name, kind, fsType }: DirectoryEntry): readonly Place[] {
  if (isIgnored(parent, name)) return [];
  const path = join(parent.path, name);
  const owner = kind === "directory" && parent.depth === 0 ? newOwner(path) : parent.owner;
  const inside: Place = { ...parent, path, realPath: join(parent.realPath, name), depth: parent.depth + 1, owner };
  switch (kind) {
    case "socket":
    case "link":
      return noteSocket(search, inside, parent);
    case "directory":
      if (owner !== parent.owner && parent.directory !== "plugins_registry") search.owners.push(owner);
      return inside.depth < MAX_DEPTH ? [inside] : skip(search, inside, "depth");
    case "mount":
    case "name":
      return skip(search, inside, kind, fsType);
  }
  return kind satisfies never;
}

// `plugins/kubernetes.io` holds staged volumes. In the registry, the kubelet ignores hidden files.
function isIgnored({ directory, depth }: Place, name: string): boolean {
  if (directory === "plugins_registry") return name.startsWith(".");
  return directory === "plugins" && depth === 0 && name === "kubernetes.io";
}

function noteSocket(search: Search, place: Place, parent: Place): readonly Place[] {
  const resolved = search.root.resolve(place.realPath);
  if (resolved.kind === "found") return noteFound(search, place, parent, resolved);
  // A link to itself leads to no socket.
  return resolved.kind === "loop" ? [] : skipUnresolved(search, place, resolved);
}

type Found = Extract<Resolution, { readonly kind: "found" }>;

function noteFound(search: Search, place: Place, parent: Place, { path, outerPath, file }: Found): readonly Place[] {
  const { owner, directory, top } = place;
  const { type, fileId, uid: ownerUid } = file;
  if (type === "other" || (type === "directory" && path.startsWith(`${top}/`))) return [];
  if (type === "directory") return skip(search, place, "link");
  if (!search.holds(path)) return skip(search, place, "outside", path);
  owner.sockets -= 1;
  const found = path === place.realPath ? search.sockets : search.linked;
  if (owner.sockets >= 0) found.push({ path: place.path, outerPath, directory, fileId, ownerUid });
  return owner.sockets === -1 ? skip(search, parent, "sockets") : [];
}

function skipUnresolved(search: Search, place: Pick<Place, "path" | "owner">, to: Unresolved): readonly Place[] {
  switch (to.kind) {
    // A link to nowhere, or a socket that is gone by now.
    case "missing":
    case "notADirectory":
      return [];
    case "offLimits":
      return to.mount === undefined ? [] : skip(search, place, "mount", to.mount.fsType);
    case "loop":
      return skip(search, place, "failed", "ELOOP");
    case "notPermitted":
      return skip(search, place, "notPermitted");
    case "failed":
      return skip(search, place, "failed", to.code);
  }
  return to satisfies never;
}

function skip(
  search: Search,
  place: Pick<Place, "path" | "owner">,
  kind: Skipped["kind"],
  detail = "",
): readonly Place[] {
  search.skipped.push({ path: place.path, within: place.owner.path, kind, detail });
  return [];
}
