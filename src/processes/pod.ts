import { type Cgroup, containerIdsOf, podCgroupOf } from "./cgroups";
import { byContainerLog, byPodDirectories, byRuntime, wasRestarted } from "../node/pod-names";
import type { Root } from "../node/rooted-path";

/** The pod that a process runs in; undefined is what the node's files do not tell us. Names are valid in Kubernetes. */
export interface Pod {
  readonly uid: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** As in the pod's specification. */
  readonly container: string | undefined;
  /** The runtime's: 64 hexadecimal digits. */
  readonly containerId: string | undefined;
  /** Whether `kubectl logs --previous` has the log of an earlier run. */
  readonly restarted: boolean;
}

/**
 * Finds the pod of a process by its control groups, and its names in the files of kubelet and runtime; undefined if it is in no pod. Never
 * throws.
 *
 * @param kubeletRoots kubelets' directories, as paths inside the root
 */
export function findPod(root: Root, cgroups: readonly Cgroup[], kubeletRoots: readonly string[]): Pod | undefined {
  if (cgroups.some((cgroup) => isMadeByAnother(root, cgroup))) return undefined;
  const { podUid, containerId } = containerIdsOf(cgroups);
  const told =
    containerId === undefined ? undefined : (byContainerLog(root, containerId) ?? byRuntime(root, containerId));
  const uid = podUid ?? told?.uid;
  // Docker and Podman make containers without a pod.
  if (uid === undefined) return undefined;
  const directories = byPodDirectories(root, uid, kubeletRoots);
  const names = {
    namespace: told?.namespace ?? directories.namespace,
    name: told?.name ?? directories.name,
    container: told?.container ?? directories.container,
  };
  return { uid, containerId, ...names, restarted: wasRestarted(root, uid, names) };
}

/** Whether a group with a pod's name does not belong to root, so that no kubelet made it. */
function isMadeByAnother(root: Root, { path }: Cgroup): boolean {
  const group = podCgroupOf(path);
  const found = group === undefined ? undefined : root.resolve(`/sys/fs/cgroup${group}`);
  return found?.kind === "found" && found.file.uid !== 0;
}
