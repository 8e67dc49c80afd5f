import { type Cgroup, containerIdsOf, podCgroupOf } from "./cgroups";
import { byContainerLog, byPodDirectories, byRuntime, wasRestarted } from "../node/pod-names";
import type { Root } from "../node/rooted-path";

/** The pod that a process runs in. Undefined is what the node's files do not tell, or not to us. Names are as Kubernetes allows them. */
export interface Pod {
  readonly uid: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** As in the pod's specification. */
  readonly container: string | undefined;
  /** The runtime's: 64 hexadecimal digits. */
  readonly containerId: string | undefined;
  /** Whether there was a container before this one: `kubectl logs --previous` has what it said. */
  readonly restarted: boolean;
}

/**
 * Finds the pod of a process by its control groups, and names for it in what kubelet and runtime keep on the node, without
 * asking the API server. Never throws.
 *
 * @param kubeletRoots kubelets' roots, as paths inside the root
 * @returns undefined where the process is in no pod
 */
export function findPod(root: Root, cgroups: readonly Cgroup[], kubeletRoots: readonly string[]): Pod | undefined {
  if (cgroups.some((cgroup) => isMadeByAnother(root, cgroup))) return undefined;
  const { podUid, containerId } = containerIdsOf(cgroups);
  const told =
    containerId === undefined ? undefined : (byContainerLog(root, containerId) ?? byRuntime(root, containerId));
  const uid = podUid ?? told?.uid;
  // A container by itself is no pod's: Docker and Podman make such.
  if (uid === undefined) return undefined;
  const directories = byPodDirectories(root, uid, kubeletRoots);
  const names = {
    namespace: told?.namespace ?? directories.namespace,
    name: told?.name ?? directories.name,
    container: told?.container ?? directories.container,
  };
  return { uid, containerId, ...names, restarted: wasRestarted(root, uid, names) };
}

/** Whether a group that is named like a pod's belongs to another user than root: the kubelet did not make it. */
function isMadeByAnother(root: Root, { path }: Cgroup): boolean {
  const group = podCgroupOf(path);
  const found = group === undefined ? undefined : root.resolve(`/sys/fs/cgroup${group}`);
  return found?.kind === "found" && found.file.uid !== 0;
}
