import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { ConfigError } from "../base/errors";
import { findKubeletRoots, type KubeletRoots } from "../node/kubelet-roots";
import { readMounts } from "../node/mounts";
import { type PinOutcome, pinSocket } from "../node/pinned-socket";
import { openRoot, resolutionText, type Root } from "../node/rooted-path";
import { findRunningRootDirs } from "../processes/running-kubelets";
import { findSockets, type SocketSearch } from "../node/socket-search";

/** A node's file system, opened. */
export interface NodeView {
  readonly root: Root;
  /** `/proc`, or `/host/proc`. */
  readonly procDir: string;
  /** Our own effective user id. */
  readonly uid: number;
  /** The kubelets' directories, as paths inside the root. */
  readonly kubeletDirs: readonly string[];
  readonly kubelets: KubeletRoots;
  readonly search: SocketSearch;
}

export interface NodePlaces {
  /** The node's root directory for this process: `/`, or `/host`. */
  readonly rootDir: string;
  /** The values of `--kubelet-dir`. */
  readonly kubeletDirs: readonly string[];
}

/**
 * Opens a node's file system and finds its sockets, without touching them.
 *
 * @throws {ConfigError} where `--root` leads nowhere, or where it cannot be known what is mounted
 */
export async function openNode({ rootDir, kubeletDirs }: NodePlaces): Promise<NodeView> {
  const mounts = readMounts("/proc/self/mountinfo");
  if (mounts === undefined)
    throw new ConfigError(
      "/proc/self/mountinfo cannot be read, so no directory is safe to look into: mount /proc here",
    );
  const opened = openRoot(rootDir, mounts);
  if (opened.kind !== "opened")
    throw new ConfigError(`--root must be a directory, got ${rootDir}: ${resolutionText(opened)}`);
  // A debug container has a /proc of its own besides the node's.
  const outerProc = join(rootDir, "proc");
  const procDir = existsSync(join(outerProc, "self")) ? outerProc : "/proc";
  const kubelets = findKubeletRoots(opened.root, kubeletDirs, await findRunningRootDirs(procDir));
  return {
    root: kubelets.root,
    procDir,
    uid: process.geteuid?.() ?? 0,
    kubeletDirs: kubelets.roots.map(({ path }) => path),
    kubelets,
    search: await findSockets(kubelets),
  };
}

/**
 * Holds the socket to which a kubelet's path leads at this moment. It is `replaced` where the path leads to no socket,
 * or out of the kubelet's directory: anyone who may write there can put a link in the socket's place.
 */
export function holdSocket({ root, kubelets }: NodeView, path: string): PinOutcome {
  const resolved = root.resolve(path);
  if (resolved.kind !== "found" || !kubelets.holds(resolved.path)) return { kind: "replaced" };
  return pinSocket(resolved.outerPath, resolved.file.fileId);
}

/** The kubelet's directories in which each driver has its own. */
export const DRIVER_PLACES = ["plugins", "csi-plugins"] as const;

/** The name of the driver's directory that holds a socket: by convention the driver's own name. */
export function driverDirectoryOf({ kubeletDirs }: NodeView, path: string): string | undefined {
  const places = kubeletDirs.flatMap((root) => DRIVER_PLACES.map((name) => `${root}/${name}/`));
  const place = places.find((directory) => path.startsWith(directory));
  const [name, ...rest] = place === undefined ? [] : path.slice(place.length).split("/");
  return rest.length > 0 && name !== ".." ? name : undefined;
}

/**
 * RFC 1035's domain names, which a driver's name must be (CSI specification, GetPluginInfo). No shell reads more into
 * one.
 */
const DRIVER_NAME = /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i;

/**
 * The names that drivers have by their directories, and by the sockets of node-driver-registrar, `NAME-reg.sock`: in
 * order, and without asking anybody. What no driver may be called is left out.
 */
export function driverNames(node: NodeView): readonly string[] {
  const names = node.search.sockets.map(({ directory, path }) =>
    directory === "plugins_registry" ? /([^/]*)-reg\.sock$/.exec(path)?.[1] : driverDirectoryOf(node, path),
  );
  const all = [...names, ...node.search.withoutSocket.map((path) => basename(path))];
  return [...new Set(all)].flatMap((name) => (name !== undefined && DRIVER_NAME.test(name) ? [name] : [])).toSorted();
}
