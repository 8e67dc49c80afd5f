import { type Cgroup, containerIdsOf, podCgroupOf } from "./cgroups";
import { attempt } from "../base/errors";
import { readNames, readText, valueOf } from "../base/reads";
import type { Root } from "../node/rooted-path";

/**
 * The names of a container and its pod. Each is one that Kubernetes allows; undefined is what the node's files do not
 * tell.
 */
interface Names {
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** As in the pod's specification. */
  readonly container: string | undefined;
}

/** The pod that a process runs in. */
export interface Pod extends Names {
  readonly uid: string;
  /** The runtime's: 64 hexadecimal digits. */
  readonly containerId: string | undefined;
  /** Whether `kubectl logs --previous` has the log of an earlier run. */
  readonly restarted: boolean;
}

/**
 * Finds the pod of a process by its control groups, and its names in the files of kubelet and runtime; undefined if it
 * is in no pod. Never throws.
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
  const { namespace, name, container } = told ?? byPodDirectories(root, uid, kubeletRoots);
  const isNamed = name !== undefined && container !== undefined;
  // The logs of the container's runs.
  const logs = isNamed ? namesIn(root, `/var/log/pods/${namespace}_${name}_${uid}/${container}`) : [];
  return { uid, containerId, namespace, name, container, restarted: logs.some((log) => /^[1-9]\d*\.log$/.test(log)) };
}

/** Whether a group with a pod's name does not belong to root, so that no kubelet made it. */
function isMadeByAnother(root: Root, { path }: Cgroup): boolean {
  const group = podCgroupOf(path);
  const found = group === undefined ? undefined : root.resolve(`/sys/fs/cgroup${group}`);
  return found?.kind === "found" && found.file.uid !== 0;
}

/** What is told of one container: all of its names, and perhaps its pod's uid. */
type Told = Names & { readonly uid?: string | undefined };

/** By the kubelet's links to logs: `/var/log/containers/<pod>_<namespace>_<container>-<id>.log`. */
function byContainerLog(root: Root, containerId: string): Told | undefined {
  const suffix = `-${containerId}.log`;
  const found = namesIn(root, "/var/log/containers").flatMap((file) => {
    if (!file.endsWith(suffix)) return [];
    const [name, namespace, container, ...more] = file.slice(0, -suffix.length).split("_");
    return more.length === 0 ? (allowed({ namespace, name, container }) ?? []) : [];
  });
  // The kubelet makes one. If there are several, none is believed.
  return found.length === 1 ? found[0] : undefined;
}

// The state of containerd in its namespace for Kubernetes, also as k3s and RKE2, k0s and MicroK8s have it, and that of
// CRI-O.
const CONTAINERD = "io.containerd.runtime.v2.task/k8s.io/ID";
const RUNTIME_DIRECTORIES = [
  `/run/containerd/${CONTAINERD}`,
  `/run/k3s/containerd/${CONTAINERD}`,
  `/run/k0s/containerd/${CONTAINERD}`,
  `/var/snap/microk8s/common/run/containerd/${CONTAINERD}`,
  "/run/containers/storage/overlay-containers/ID/userdata",
];

/** By the annotations that containerd and CRI-O write for a running container (OCI, `config.json`). */
function byRuntime(root: Root, containerId: string): Told | undefined {
  for (const directory of RUNTIME_DIRECTORIES) {
    const found = root.resolve(`${directory.replace("ID", containerId)}/config.json`);
    const annotations = annotationsIn(found.kind === "found" ? readText(found.outerPath) : "");
    const either = (containerd: string, crio: string) => {
      const text = annotations[`io.kubernetes.cri.${containerd}`] ?? annotations[`io.kubernetes.${crio}`];
      return typeof text === "string" ? text : undefined;
    };
    const namespace = either("sandbox-namespace", "pod.namespace");
    const name = either("sandbox-name", "pod.name");
    const container = either("container-name", "container.name");
    const names = allowed({ namespace, name, container });
    // A pod's uid is a UUID, or of a static pod 32 digits.
    if (names !== undefined)
      return { ...names, uid: /^[0-9a-f-]{32,36}$/.exec(either("sandbox-uid", "pod.uid") ?? "")?.[0] };
  }
  return undefined;
}

function annotationsIn(json: string): Readonly<Record<string, unknown>> {
  const parse = (): { readonly annotations?: Readonly<Record<string, unknown>> | null } | null => JSON.parse(json);
  // It may not be there, or be written at this moment.
  return attempt(parse)?.annotations ?? {};
}

/**
 * By directories of the kubelet, `/var/log/pods/<namespace>_<name>_<uid>/<container>` and
 * `<root>/pods/<uid>/containers/<container>`. A container is named where it is the pod's only one.
 */
function byPodDirectories(root: Root, uid: string, kubeletRoots: readonly string[]): Names {
  const logs = namesIn(root, "/var/log/pods").find((name) => name.endsWith(`_${uid}`));
  const [namespace, name] = logs?.split("_") ?? [];
  const directories = kubeletRoots.map((kubeletRoot) => `${kubeletRoot}/pods/${uid}/containers`);
  if (logs !== undefined) directories.unshift(`/var/log/pods/${logs}`);
  const containers = directories.map((directory) => namesIn(root, directory)).find((found) => found.length > 0) ?? [];
  const known = isLabel(namespace) && isSubdomain(name);
  return {
    namespace: known ? namespace : undefined,
    name: known ? name : undefined,
    container: containers.length === 1 && isLabel(containers[0]) ? containers[0] : undefined,
  };
}

/** The names, where all three are there and Kubernetes allows them. */
function allowed(names: Names): Names | undefined {
  return isLabel(names.namespace) && isSubdomain(names.name) && isLabel(names.container) ? names : undefined;
}

/** Whether it is a label of RFC 1123, which names of namespaces and containers are. */
function isLabel(name: string | undefined): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name ?? "");
}

/** Whether it is a subdomain of RFC 1123, which names of pods are. */
function isSubdomain(name: string | undefined): boolean {
  return /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name ?? "");
}

function namesIn(root: Root, directory: string): readonly string[] {
  const found = root.resolve(directory);
  return found.kind === "found" ? (valueOf(readNames(found.outerPath)) ?? []) : [];
}
