import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { waitUntil } from "../support/wait";
import type { Node } from "./node";

/** What these tests read of a pod (core/v1). */
export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly status: {
    readonly phase?: string;
    readonly reason?: string;
    readonly podIP?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    /** Of init containers, native sidecars among them. */
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  /** `containerd://ID` */
  readonly containerID?: string;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
}

interface ContainerState {
  readonly running?: object;
  readonly terminated?: { readonly exitCode: number; readonly reason: string };
  readonly waiting?: { readonly reason: string; readonly message?: string };
}

/** Before a hung driver is restarted: `periodSeconds` x `failureThreshold`. */
export const LIVENESS_SECONDS = 4;

export interface CsiPodOptions {
  readonly hostNetwork?: boolean;
  readonly driverArgs?: readonly string[];
  /** The port of /healthz, which pods on the host's network share. */
  readonly port?: number;
  readonly finalizers?: readonly string[];
  /** Of a container that registers the driver with the kubelet, as node-driver-registrar does. */
  readonly registrarArgs?: readonly string[];
  /** Of the driver's container (core/v1). */
  readonly driver?: object;
  /** Of the sidecar's. */
  readonly sidecar?: object;
  /** Besides the driver's and the sidecar's (core/v1). */
  readonly containers?: readonly object[];
  /** Besides those of the directories (core/v1). */
  readonly volumes?: readonly object[];
}

/** A pod of a driver with the sidecar, which is in the namespace `default`. */
export function csiPod(name: string, options: CsiPodOptions = {}): object {
  const {
    hostNetwork = false,
    driverArgs = [],
    port = 9808,
    finalizers = [],
    registrarArgs,
    containers = [],
    volumes = [],
  } = options;
  const volumeMounts = [{ name: "plugin-dir", mountPath: "/csi" }];
  const driver = {
    name: "driver",
    image: "registry.example/my-csi-driver:v1",
    args: ["--endpoint=unix:///csi/csi.sock", `--name=${name}.csi.example`, ...driverArgs],
    livenessProbe: {
      httpGet: { path: "/healthz", port },
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: LIVENESS_SECONDS / 2,
      terminationGracePeriodSeconds: 1,
    },
    volumeMounts,
    ...options.driver,
  };
  const livenessprobe = {
    name: "livenessprobe",
    image: "registry.example/csi-livenessprobe:0.1.0",
    args: ["--csi-address=/csi/csi.sock", `--http-endpoint=:${port}`, "--probe-timeout=1s"],
    resources: { limits: { memory: "32Mi" } },
    volumeMounts,
    ...options.sidecar,
  };
  const registrar = {
    name: "node-driver-registrar",
    image: "registry.example/csi-node-driver-registrar:v2.15.0",
    args: registrarArgs,
    volumeMounts: [...volumeMounts, { name: "registration-dir", mountPath: "/registration" }],
  };
  const path = `/var/lib/kubelet/plugins/${name}.csi.example`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", finalizers },
    spec: {
      nodeName: "node",
      hostNetwork,
      automountServiceAccountToken: false,
      containers: [driver, livenessprobe, ...containers, ...(registrarArgs === undefined ? [] : [registrar])],
      volumes: [
        { name: "plugin-dir", hostPath: { path, type: "DirectoryOrCreate" } },
        { name: "registration-dir", hostPath: { path: "/var/lib/kubelet/plugins_registry" } },
        ...volumes,
      ],
    },
  };
}

/** Applies objects, such as those of `csiPod`. */
export async function apply(node: Node, ...objects: readonly object[]): Promise<void> {
  const list = { apiVersion: "v1", kind: "List", items: objects };
  await node.kubectl(["apply", "--filename=-"], JSON.stringify(list));
}

export async function readPod(node: Node, name: string, namespace = "default"): Promise<Pod> {
  // core/v1, of which the types above are a part.
  return JSON.parse(await node.read(`/api/v1/namespaces/${namespace}/pods/${name}`)) as Pod;
}

/** Waits until all containers of a pod are ready, and `holds` of it. */
export async function podReady(
  node: Node,
  name: string,
  holds: (pod: Pod) => boolean = () => true,
  namespace = "default",
): Promise<Pod> {
  let seen: unknown;
  return waitUntil(
    async () => {
      const pod = await readPod(node, name, namespace);
      seen = pod.status;
      const { containerStatuses = [] } = pod.status;
      const ready = containerStatuses.length > 0 && containerStatuses.every((status) => status.ready);
      return ready && holds(pod) ? pod : undefined;
    },
    () => `the pod ${name} to be ready; it was ${JSON.stringify(seen)}`,
  );
}

/** What the kubelet has told of a pod, oldest first: reasons, such as `Unhealthy`, with their messages. */
export async function eventsOf(node: Node, name: string, namespace = "default"): Promise<readonly Event[]> {
  const selector = `fieldSelector=involvedObject.name=${name}`;
  const list = await node.read(`/api/v1/namespaces/${namespace}/events?${selector}`);
  return (JSON.parse(list) as { readonly items: readonly Event[] }).items;
}

/** What these tests read of an event (core/v1). */
interface Event {
  readonly reason: string;
  readonly message: string;
  /** RFC 3339, in whole seconds. */
  readonly firstTimestamp: string;
}

/** The names of the drivers that the kubelet has registered. */
export async function registeredDrivers(node: Node): Promise<readonly string[]> {
  const { spec } = JSON.parse(await node.read("/apis/storage.k8s.io/v1/csinodes/node")) as CsiNode;
  return (spec.drivers ?? []).map(({ name }) => name);
}

/** What these tests read of a CSINode (storage.k8s.io/v1). */
interface CsiNode {
  readonly spec: { readonly drivers?: readonly { readonly name: string }[] | null };
}

export function containerOf(pod: Pod, name: string): ContainerStatus {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status;
  const status = [...containerStatuses, ...initContainerStatuses].find((container) => container.name === name);
  if (status === undefined) throw new Error(`the pod ${pod.metadata.name} has no container ${name}`);
  return status;
}

/** The process of a running container of one process, as this machine numbers it. */
export function processOf(pod: Pod, container: string): number {
  const id = containerOf(pod, container).containerID?.replace("containerd://", "") ?? "";
  const found = readdirSync("/proc").find((entry) => /^\d+$/.test(entry) && cgroupFile(entry).includes(id));
  if (id === "" || found === undefined) throw new Error(`no process is in the container ${container} (${id})`);
  return Number(found);
}

/** Of a process: lines of `hierarchy:controllers:path` (cgroups(7)); empty where it has ended. */
export function cgroupFile(pid: number | string): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "utf8");
  } catch {
    return "";
  }
}

/** The folder of a process's control group in the hierarchy of a controller, and the hierarchy's version. */
export function cgroupOf(
  pid: number,
  controller: "cpu" | "memory",
): { readonly path: string; readonly version: 1 | 2 } {
  const file = cgroupFile(pid);
  const [, v1] = new RegExp(`^\\d+:(?:\\w+,)*${controller}(?:,\\w+)*:(.*)$`, "m").exec(file) ?? [];
  if (v1 !== undefined) return { path: join("/sys/fs/cgroup", controller, v1), version: 1 };
  const [, v2 = ""] = /^0::(.*)$/m.exec(file) ?? [];
  return { path: join("/sys/fs/cgroup", v2), version: 2 };
}

/** How many processes of a process's control group were killed because it was out of memory. */
export function outOfMemoryKills(pid: number): number {
  const { path, version } = cgroupOf(pid, "memory");
  const file = version === 1 ? "memory.oom_control" : "memory.events";
  return Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(path, file), "utf8"))?.[1]);
}
