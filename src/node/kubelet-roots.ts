import { join } from "node:path";
import type { Root, Unresolved } from "./rooted-path";

/** The directory in which a kubelet keeps its state, and drivers their sockets. */
export interface KubeletRoot {
  /** As it was named. */
  readonly path: string;
  /** The same without symbolic links. */
  readonly realPath: string;
}

/** A directory that was looked for. */
export interface LookedIn {
  readonly path: string;
  /** `--kubelet-dir`, the `--root-dir` of a running kubelet, or `KNOWN_ROOTS`. */
  readonly origin: "flag" | "kubelet" | "known";
  readonly outcome:
    | { readonly kind: "found" }
    /** It is the directory of an earlier path. */
    | { readonly kind: "same"; readonly as: string }
    | Unresolved;
}

export interface KubeletRoots {
  readonly roots: readonly KubeletRoot[];
  /** In the order of looking. */
  readonly lookedIn: readonly LookedIn[];
  /**
   * The root to use from here on. Below a kubelet's root it touches no mount of any kind, nor `plugins/kubernetes.io/`,
   * where volumes are staged. The kubelet's root itself may be a mount.
   */
  readonly root: Root;
  /**
   * Whether a path without symbolic links lies in a kubelet's root, or in a directory of it that is a link to another
   * disk. A socket elsewhere is not connected to: neither a link nor a registration may choose what root connects to.
   */
  holds(realPath: string): boolean;
}

/** The directories of a kubelet's root in which sockets are looked for. */
export const SOCKET_DIRECTORIES = ["plugins_registry", "csi-plugins", "plugins"] as const;

/** Where kubelets keep their state by default, the usual place first. */
export const KNOWN_ROOTS = [
  "/var/lib/kubelet",
  "/var/lib/k0s/kubelet",
  // k3s before 0.10, and without root
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
 * Finds the kubelets' directories: those given, or else those of running kubelets and the known ones. Of several paths
 * to one directory, the first counts. Never throws.
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

// `plugins` and `pods` may be links to another disk.
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
