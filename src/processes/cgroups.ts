/** A line of `/proc/PID/cgroup` (cgroups(7)): a process's control group in one hierarchy. */
export interface Cgroup {
  /** Of a version 1 hierarchy, such as `memory`; the only hierarchy of version 2 has none. */
  readonly controllers: readonly string[];
  /** From the root of our cgroup namespace: if that is not the node's, it begins with `/..`. */
  readonly path: string;
}

/** A process's pod and container, as its control groups name them. */
export interface ContainerIds {
  readonly podUid: string | undefined;
  /** 64 hexadecimal digits. */
  readonly containerId: string | undefined;
}

/** Reads the text of `/proc/PID/cgroup`. */
export function parseCgroups(text: string): readonly Cgroup[] {
  return text.split("\n").flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    return [{ controllers: controllers.split(",").filter((name) => name !== ""), path }];
  });
}

/**
 * Finds pod and container in the paths of kubelets and container runtimes: with systemd
 * `/kubepods.slice/kubepods-burstable-pod<uid with _>.slice/cri-containerd-<id>.scope`, without it `/kubepods/burstable/pod<uid>/<id>`,
 * and with `crio-` or `docker-` for `cri-containerd-`. A static pod's uid has 32 digits.
 *
 * A process can make groups with any name below its own, so the pod nearest to the root counts, and the container nearest to the pod.
 * Without a pod, only a container beside ours counts, and nothing in a user's slice.
 */
export function containerIdsOf(cgroups: readonly Cgroup[]): ContainerIds {
  const found = cgroups.map(({ path }) => idsIn(path));
  const best = found.find(({ podUid, containerId }) => podUid !== undefined && containerId !== undefined);
  const either = found.find(({ podUid, containerId }) => podUid !== undefined || containerId !== undefined);
  return best ?? either ?? NO_IDS;
}

function idsIn(path: string): ContainerIds {
  if (USER_SLICE.test(path)) return NO_IDS;
  const pod = POD.exec(path);
  if (pod === null) return { podUid: undefined, containerId: NEXT_TO_US.exec(path)?.[1] };
  const [container] = path.slice(pod.index + pod[0].length).matchAll(CONTAINER);
  return { podUid: pod[1]?.replaceAll("_", "-"), containerId: container?.[1] };
}

const NO_IDS: ContainerIds = { podUid: undefined, containerId: undefined };

/** The path of the pod's group; undefined if the group is in no pod. */
export function podCgroupOf(path: string): string | undefined {
  const pod = POD.exec(path);
  if (pod === null) return undefined;
  const end = path.indexOf("/", pod.index + 1);
  return end === -1 ? undefined : path.slice(0, end);
}

const POD = /[/-]pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?=[./]|$)/;
const NEXT_TO_US = /^(?:\/\.\.)+\/(?:cri-containerd-|crio-|docker-)?([0-9a-f]{64})(?=[./]|$)/;
// Where systemd lets users make groups.
const USER_SLICE = /(?:^|\/)user\.slice(?:\/|$)/;
// Other groups of the runtime, such as crio-conmon-<id>, hold no container.
const CONTAINER = /(?:^|\/|:|cri-containerd-|crio-|docker-|libpod-)([0-9a-f]{64})(?=[./]|$)/g;
