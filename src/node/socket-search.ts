import { join } from "node:path";
import { startSlices } from "../base/slices";
import { type DirectoryEntry, listEntries, MAX_DIRECTORY_BYTES } from "./directory-entries";
import { type KubeletRoots, SOCKET_DIRECTORIES } from "./kubelet-roots";
import type { Unresolved } from "./rooted-path";

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
 * How many directories, links and sockets are looked at below each driver's directory, and how many in `plugins/`
 * itself. So a driver that fills its directory hides no other driver. Regular files do not count.
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

/**
 * Finds every socket of a driver below the kubelets' roots, and touches no volume. Signals are served meanwhile. Never
 * rejects.
 */
export async function findSockets(kubelets: KubeletRoots): Promise<SocketSearch> {
  const search: Search = { ...kubelets, queue: [], owners: [], sockets: [], linked: [], skipped: [] };
  for (const { path } of kubelets.roots)
    for (const directory of SOCKET_DIRECTORIES) open(search, join(path, directory), directory);
  // It grows while it is read: the directories of one level come before those below them.
  // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
  for (const place of search.queue) await searchIn(search, place);
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

interface Search extends Pick<KubeletRoots, "root" | "holds"> {
  /** The directories to look into. */
  readonly queue: Place[];
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

function open(search: Search, path: string, directory: SocketDirectory): void {
  const resolved = search.root.resolve(path);
  const owner = newOwner(path);
  if (resolved.kind !== "found") skipUnresolved(search, { path, owner }, resolved);
  else if (resolved.file.type === "directory")
    search.queue.push({ path, realPath: resolved.path, directory, top: resolved.path, depth: 0, owner });
}

/** Notes what is in a directory. */
async function searchIn(search: Search, place: Place): Promise<void> {
  const { owner } = place;
  const listing = await listEntries(search.root, place.realPath, owner);
  if (listing.kind === "missing") return;
  if (listing.kind !== "read") {
    skip(search, place, listing.kind, listing.kind === "failed" ? listing.code : "");
    return;
  }
  const looked = listing.value.slice(0, owner.entries);
  owner.entries -= looked.length;
  if (looked.length < listing.value.length) skip(search, place, "entries");
  for await (const slice of startSlices(Infinity).of(looked))
    for (const entry of slice) noteEntry(search, place, entry);
}

function noteEntry(search: Search, parent: Place, { name, kind, fsType }: DirectoryEntry): void {
  if (isIgnored(parent, name)) return;
  const path = join(parent.path, name);
  const owner = kind === "directory" && parent.depth === 0 ? newOwner(path) : parent.owner;
  const place: Place = { ...parent, path, realPath: join(parent.realPath, name), depth: parent.depth + 1, owner };
  switch (kind) {
    case "socket":
    case "link":
      noteSocket(search, place, parent);
      return;
    case "directory":
      if (owner !== parent.owner && parent.directory !== "plugins_registry") search.owners.push(owner);
      if (place.depth < MAX_DEPTH) search.queue.push(place);
      else skip(search, place, "depth");
      return;
    case "mount":
    case "name":
      skip(search, place, kind, fsType);
      return;
  }
  kind satisfies never;
}

// `plugins/kubernetes.io` holds staged volumes. In the registry, the kubelet ignores hidden files.
function isIgnored({ directory, depth }: Place, name: string): boolean {
  if (directory === "plugins_registry") return name.startsWith(".");
  return directory === "plugins" && depth === 0 && name === "kubernetes.io";
}

function noteSocket(search: Search, place: Place, parent: Place): void {
  const { owner, directory } = place;
  const resolved = search.root.resolve(place.realPath);
  if (resolved.kind !== "found") {
    // A link to itself leads to no socket.
    if (resolved.kind !== "loop") skipUnresolved(search, place, resolved);
    return;
  }
  const { path, outerPath } = resolved;
  const { type, fileId, uid: ownerUid } = resolved.file;
  if (type === "other" || (type === "directory" && path.startsWith(`${place.top}/`))) return;
  if (type === "directory") skip(search, place, "link");
  else if (!search.holds(path)) skip(search, place, "outside", path);
  else {
    owner.sockets -= 1;
    const found = path === place.realPath ? search.sockets : search.linked;
    if (owner.sockets >= 0) found.push({ path: place.path, outerPath, directory, fileId, ownerUid });
    else if (owner.sockets === -1) skip(search, parent, "sockets");
  }
}

function skipUnresolved(search: Search, place: Pick<Place, "path" | "owner">, to: Unresolved): void {
  switch (to.kind) {
    // A link to nowhere, or a socket that is gone by now.
    case "missing":
    case "notADirectory":
      return;
    case "offLimits":
      if (to.mount !== undefined) skip(search, place, "mount", to.mount.fsType);
      return;
    case "loop":
      skip(search, place, "failed", "ELOOP");
      return;
    case "notPermitted":
      skip(search, place, "notPermitted");
      return;
    case "failed":
      skip(search, place, "failed", to.code);
      return;
  }
  to satisfies never;
}

function skip(
  search: Search,
  { path, owner }: Pick<Place, "path" | "owner">,
  kind: Skipped["kind"],
  detail = "",
): void {
  search.skipped.push({ path, within: owner.path, kind, detail });
}
