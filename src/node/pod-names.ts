import { readNames, readText, valueOf } from "./reads";
import type { Root } from "./rooted-path";

/** What the node's files say of a container. Every name is one that Kubernetes allows; undefined is what they do not say. */
export interface ContainerNames {
  /** The pod's. */
  readonly uid?: string | undefined;
  readonly namespace?: string | undefined;
  /** The pod's. */
  readonly name?: string | undefined;
  readonly container?: string | undefined;
}

/** By the kubelet's links to logs: `/var/log/containers/<pod>_<namespace>_<container>-<id>.log`. */
export function byContainerLog(root: Root, containerId: string): ContainerNames | undefined {
  const suffix = `-${containerId}.log`;
  const found = namesIn(root, "/var/log/containers").flatMap((file) => {
    if (!file.endsWith(suffix)) return [];
    const [name, namespace, container, ...more] = file.slice(0, -suffix.length).split("_");
    return more.length === 0 ? (allowed({ namespace, name, container }) ?? []) : [];
  });
  // The kubelet makes one. If there are several, none is believed.
  return found.length === 1 ? found[0] : undefined;
}

/** By the annotations that containerd and CRI-O write for a running container (OCI, `config.json`). */
export function byRuntime(root: Root, containerId: string): ContainerNames | undefined {
  for (const directory of RUNTIME_DIRECTORIES) {
    const found = root.resolve(`${directory.replace("ID", containerId)}/config.json`);
    const text = found.kind === "found" ? readText(found.outerPath) : undefined;
    const names = text && namesOf(annotationsOf(text));

    if (names) return names;
  }
  return undefined;
}

/**
 * By directories of the kubelet, `/var/log/pods/<namespace>_<name>_<uid>/<container>` and `<root>/pods/<uid>/containers/<container>`.
 * A container is named where it is the pod's only one.
 */
export function byPodDirectories(root: Root, uid: string, kubeletRoots: readonly string[]): ContainerNames {
  const logs = namesIn(root, "/var/log/pods").find((name) => name.endsWith(`_${uid}`));
  const [namespace, name] = logs?.split("_") ?? [];
  const names = isLabel(namespace) && isSubdomain(name) ? { namespace, name } : {};
  const directories = kubeletRoots.map((kubeletRoot) => `${kubeletRoot}/pods/${uid}/containers`);
  if (logs !== undefined) directories.unshift(`/var/log/pods/${logs}`);
  const containers = directories.map((directory) => namesIn(root, directory)).find((found) => found.length > 0) ?? [];
  const [container] = containers.length === 1 ? containers : [];
  return { ...names, ...(isLabel(container) && { container }) };
}

/** By the logs of a container's runs, `/var/log/pods/<namespace>_<name>_<uid>/<container>/<restarts>.log`. */
export function wasRestarted(root: Root, uid: string, { namespace, name, container }: ContainerNames): boolean {
  if (namespace === undefined || name === undefined || container === undefined) return false;
  return namesIn(root, `/var/log/pods/${namespace}_${name}_${uid}/${container}`).some((log) =>
    /^[1-9]\d*\.log$/.test(log),
  );
}

/** The names, where all three are there and Kubernetes allows them. */
function allowed({ namespace, name, container }: ContainerNames): ContainerNames | undefined {
  if (!isLabel(namespace) || !isSubdomain(name) || !isLabel(container)) return undefined;
  return { namespace, name, container };
}

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A label of RFC 1123, which names of namespaces and containers are. */
function isLabel(name: string | undefined): name is string {
  return name !== undefined && LABEL.test(name);
}

/** A subdomain of RFC 1123, which names of pods are. */
function isSubdomain(name: string | undefined): name is string {
  return name !== undefined && SUBDOMAIN.test(name);
}

// The state of containerd in its namespace for Kubernetes, also as k3s and RKE2, k0s and MicroK8s have it, and that of CRI-O.
const CONTAINERD = "io.containerd.runtime.v2.task/k8s.io/ID";
const RUNTIME_DIRECTORIES = [
  `/run/containerd/${CONTAINERD}`,
  `/run/k3s/containerd/${CONTAINERD}`,
  `/run/k0s/containerd/${CONTAINERD}`,
  `/var/snap/microk8s/common/run/containerd/${CONTAINERD}`,
  "/run/containers/storage/overlay-containers/ID/userdata",
];

function namesOf(annotations: ReadonlyMap<string, string>): ContainerNames | undefined {
  const either = (containerd: string, crio: string) =>
    annotations.get(`io.kubernetes.cri.${containerd}`) ?? annotations.get(`io.kubernetes.${crio}`);
  const namespace = either("sandbox-namespace", "pod.namespace");
  const name = either("sandbox-name", "pod.name");
  const container = either("container-name", "container.name");
  const names = allowed({ namespace, name, container });
  return names === undefined ? undefined : { uid: uidOf(either("sandbox-uid", "pod.uid")), ...names };
}

/** A pod's uid: a UUID, or of a static pod 32 digits. */
function uidOf(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f-]{32,36}$/.test(text) ? text : undefined;
}

function annotationsOf(json: string): ReadonlyMap<string, string> {
  try {
    const config: { readonly annotations?: unknown } | null = JSON.parse(json);
    const entries = Object.entries(config?.annotations ?? {});
    return new Map(entries.flatMap(([key, value]) => (typeof value === "string" ? [[key, value] as const] : [])));
  } catch {
    // It is being written.
    return new Map();
  }
}

function namesIn(root: Root, directory: string): readonly string[] {
  const found = root.resolve(directory);
  return found.kind === "found" ? (valueOf(readNames(found.outerPath)) ?? []) : [];
}
