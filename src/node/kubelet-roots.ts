import { join } from "node:path";
import type { Root, Unresolved } from "./rooted-path";

/** A directory that a kubelet keeps its state in, drivers' sockets among it. */
export interface KubeletRoot {
  /** As it is named: what the kubelet puts before every path below it. */
  readonly path: string;
  /** The same without symbolic links. */
  readonly realPath: string;
}

/** A place that was looked in, and what came of it. */
export interface LookedIn {
  readonly path: string;
  /** Who named it: `--kubelet-dir`, a running kubelet's `--root-dir`, or nobody: some kubelets have theirs there. */
  readonly origin: "flag" | "kubelet" | "known";
  readonly outcome:
    | { readonly kind: "found" }
    /** It is the directory of an earlier path. */
    | { readonly kind: "same"; readonly as: string }
    | Unresolved;
}

export interface KubeletRoots {
  readonly roots: readonly KubeletRoot[];
  /** Every place, in the order of looking. */
  readonly lookedIn: readonly LookedIn[];
  /**
   * The root to use from here on. Below a kubelet's root it never touches a mount of any kind, nor `plugins/kubernetes.io/`,
   * where volumes are staged. The kubelet's root may be a mount itself.
   */
  readonly root: Root;
  /**
   * Whether a path without symbolic links lies in a kubelet's root, or in a directory of it that is a link to another disk.
   * What lies elsewhere is not connected to: a link, or a registration socket, must not lead this process to any socket.
   */
  holds(realPath: string): boolean;
}

/** The directories that sockets are looked for in, of each kubelet's root. */
export const SOCKET_DIRECTORIES = ["plugins_registry", "csi-plugins", "plugins"] as const;

/** Where kubelets keep their state when nothing else is known, the usual place first. */
export const KNOWN_ROOTS = [
  "/var/lib/kubelet",
  "/var/lib/k0s/kubelet",
  // k3s before 0.10, and without root; since then it is the usual place.
  "/var/lib/rancher/k3s/agent/kubelet",
  // MicroK8s
  "/var/snap/microk8s/common/var/lib/kubelet",
  // IBM Cloud Kubernetes Service
  "/var/data/kubelet",
  // Tanzu Kubernetes Grid Integrated Edition, before that PKS
  "/var/vcap/data/kubelet",
  // Huawei Cloud Container Engine
  "/mnt/paas/kubernetes/kubelet",
] as const;

/**
 * Finds the directories to look for sockets in: those given, or else those of running kubelets and the known ones.
 * Only what exists counts, and of several paths to one directory the first. Never throws.
 *
 * @param given the values of `--kubelet-dir`: where there are any, nothing else is looked at
 * @param running the `--root-dir`s of running kubelets
 */
export function findKubeletRoots(root: Root, given: readonly string[], running: readonly string[]): KubeletRoots {
  const known = KNOWN_ROOTS.filter((path) => !running.includes(path));
  const found = new Map<string, KubeletRoot>();
  const lookIn = (origin: LookedIn["origin"], paths: readonly string[]): readonly LookedIn[] =>
    paths.map((named) => {
      const path = named.replace(/(?<=.)\/+$/, "");
      const resolved = root.resolve(path);
      if (resolved.kind !== "found") return { path, origin, outcome: resolved };
      const { type, fileId } = resolved.file;
      if (type !== "directory") return { path, origin, outcome: { kind: "notADirectory", path } };
      const earlier = found.get(fileId);
      if (earlier !== undefined) return { path, origin, outcome: { kind: "same", as: earlier.path } };
      found.set(fileId, { path, realPath: resolved.path });
      return { path, origin, outcome: { kind: "found" } };
    });
  const lookedIn =
    given.length > 0 ? lookIn("flag", given) : [...lookIn("kubelet", running), ...lookIn("known", known)];
  const roots = [...found.values()];
  const careful = withoutVolumes(root, roots);
  const paths = roots.flatMap(({ path }) => SOCKET_DIRECTORIES.map((name) => join(path, name)));
  const held = [...roots.map(({ realPath }) => realPath), ...paths.flatMap((path) => realPathOf(careful, path) ?? [])];
  const holds = (path: string): boolean => held.some((directory) => isBelow(path, directory));
  return { roots, lookedIn, root: careful, holds };
}

// `plugins` and `pods` may be links to another disk, where volumes are no less volumes.
function withoutVolumes(root: Root, kubeletRoots: readonly KubeletRoot[]): Root {
  const outer = withoutMountsBelow(
    root,
    kubeletRoots.map(({ realPath }) => realPath),
  );
  const realPaths = (name: string) => kubeletRoots.flatMap(({ path }) => realPathOf(outer, join(path, name)) ?? []);
  const plugins = realPaths("plugins");
  const staging = new Set(plugins.map((directory) => join(directory, "kubernetes.io")));
  return withoutMountsBelow(outer, [...plugins, ...realPaths("pods")]).avoiding((path) => staging.has(path));
}

function withoutMountsBelow(root: Root, directories: readonly string[]): Root {
  return root.avoiding(
    (path, mounts) => mounts.length > 0 && directories.some((directory) => isBelow(path, directory)),
  );
}

function realPathOf(root: Root, path: string): string | undefined {
  const resolved = root.resolve(path);
  return resolved.kind === "found" ? resolved.path : undefined;
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(directory === "/" ? directory : `${directory}/`);
}
