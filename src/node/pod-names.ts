import { readNames, readText, valueOf } from "./reads";
import type { Root } from "./rooted-path";

/** What a file of the node tells of a container. */
export interface ContainerNames {
  readonly uid: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
}

/** By the kubelet's links to logs, `/var/log/containers/<pod>_<namespace>_<container>-<id>.log`, which it makes for every runtime. */
export function byContainerLog(root: Root, containerId: string): ContainerNames | undefined {
  const suffix = `-${containerId}.log`;
  const found = namesIn(root, "/var/log/containers").flatMap((file) => {
    if (!file.endsWith(suffix)) return [];
    const [name, namespace, container, ...more] = file.slice(0, -suffix.length).split("_");
    const names = more.length === 0 ? allowed({ namespace, name, container }) : undefined;
    return names === undefined ? [] : [{ uid: undefined, ...names }];
  });
  // The kubelet makes one: of several none is believed.
  return found.length === 1 ? found[0] : undefined;
}

/** By the runtime's own files: the annotations that containerd and CRI-O give to a running container (OCI, `config.json`). */
export function byRuntime(root: Root, containerId: string): ContainerNames | undefined {
  for (const directory of RUNTIME_DIRECTORIES) {
    const found = root.resolve(`${directory.replace("ID", containerId)}/config.json`);
    const text = found.kind === "found" ? valueOf(readText(found.outerPath)) : undefined;
    const names = text === undefined ? undefined : namesOf(annotationsOf(text));
    if (names !== undefined) return names;
  }
  return undefined;
}

/** What a pod's directories tell of it: its names, and of its containers' names the one that is alone. */
export type PodNames = Partial<Pick<ContainerNames, "namespace" | "name" | "container">>;

/** By directories of the kubelet, `/var/log/pods/<namespace>_<name>_<uid>/<container>` and `<root>/pods/<uid>/containers/<container>`. */
export function byPodDirectories(root: Root, uid: string, kubeletRoots: readonly string[]): PodNames {
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
export function wasRestarted(root: Root, uid: string, { namespace, name, container }: PartialNames): boolean {
  if (namespace === undefined || name === undefined || container === undefined) return false;
  return namesIn(root, `/var/log/pods/${namespace}_${name}_${uid}/${container}`).some((log) =>
    /^[1-9]\d*\.log$/.test(log),
  );
}

interface PartialNames {
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly container: string | undefined;
}

/** The names, where all are there and such as Kubernetes allows. */
function allowed({ namespace, name, container }: PartialNames): Omit<ContainerNames, "uid"> | undefined {
  if (!isLabel(namespace) || !isSubdomain(name) || !isLabel(container)) return undefined;
  return { namespace, name, container };
}

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const MAX_SUBDOMAIN = 253;

/** A label of RFC 1123, which names of namespaces and containers are. */
function isLabel(name: string | undefined): name is string {
  return name !== undefined && LABEL.test(name);
}

/** A subdomain of RFC 1123, which names of pods and nodes are. */
export function isSubdomain(name: string | undefined): name is string {
  return name !== undefined && name.length <= MAX_SUBDOMAIN && SUBDOMAIN.test(name);
}

// containerd's state, in Kubernetes' own namespace of it; the same of k3s and RKE2, k0s and MicroK8s; and CRI-O's.
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
  const config = parsed(json);
  if (typeof config !== "object" || config === null || !("annotations" in config)) return new Map();
  const entries = Object.entries(config.annotations ?? {});
  return new Map(entries.flatMap(([key, value]) => (typeof value === "string" ? [[key, value] as const] : [])));
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // It is being written.
    return undefined;
  }
}

function namesIn(root: Root, directory: string): readonly string[] {
  const found = root.resolve(directory);
  return found.kind === "found" ? (valueOf(readNames(found.outerPath)) ?? []) : [];
}
