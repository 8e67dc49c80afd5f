import { join } from "node:path";
import type { Mount } from "../node/mounts";
import { readText } from "../base/reads";
import type { Root } from "../node/rooted-path";

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

/** Reads the control groups of a process, by its directory in /proc; none if it has ended. */
export function readCgroups(directory: string): readonly Cgroup[] {
  return parseCgroups(readText(`${directory}/cgroup`));
}

/** Parses `/proc/PID/cgroup`. */
export function parseCgroups(text: string): readonly Cgroup[] {
  return text.split("\n").flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    return [{ controllers: controllers.split(",").filter((name) => name !== ""), path }];
  });
}

/**
 * Finds pod and container in the paths of kubelets and container runtimes: with systemd
 * `/kubepods.slice/kubepods-burstable-pod<uid with _>.slice/cri-containerd-<id>.scope`, without it
 * `/kubepods/burstable/pod<uid>/<id>`, and with `crio-` or `docker-` for `cri-containerd-`. A static pod's uid has 32
 * digits.
 *
 * A process can make groups with any name below its own, so the pod nearest to the root counts, and the container
 * nearest to the pod. Without a pod, only a container beside ours counts, and nothing in a user's slice.
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

/** How many processes the kernel killed because memory ran out; undefined if we cannot see it. */
export interface OomKills {
  /** In the process's own control group, since its container started. */
  readonly container: number | undefined;
  /** In its pod's group, with all containers and their earlier runs; not in version 1. */
  readonly pod: number | undefined;
}

/** Reads the kills from the node's control groups, wherever they are mounted. Never throws. */
export function readOomKills(root: Root, cgroups: readonly Cgroup[]): OomKills {
  const memory = cgroups.find(({ controllers }) => controllers.includes("memory"));
  if (memory !== undefined) {
    return { container: killsIn(root, isMemory, memory.path, "memory.oom_control"), pod: undefined };
  }
  const path = cgroups.find(({ controllers }) => controllers.length === 0)?.path;
  const podPath = path === undefined ? undefined : podCgroupOf(path);
  return {
    container: path === undefined ? undefined : killsIn(root, isUnified, path, "memory.events"),
    pod: podPath === undefined ? undefined : killsIn(root, isUnified, podPath, "memory.events"),
  };
}

function isMemory({ fsType, superOptions }: Mount): boolean {
  return fsType === "cgroup" && superOptions.includes("memory");
}

function isUnified({ fsType }: Mount): boolean {
  return fsType === "cgroup2";
}

// Kernel documentation, admin-guide/cgroup-v2.rst "memory.events" and cgroup-v1/memory.rst "OOM Control": lines of name
// and number.
function killsIn(root: Root, isHierarchy: (mount: Mount) => boolean, group: string, file: string): number | undefined {
  const directories = root.mounts.all.filter(isHierarchy).flatMap((mount) => directoriesOf(mount, group));
  for (const directory of directories) {
    const found = root.resolve(join(directory, file));
    const text = found.kind === "found" ? readText(found.outerPath) : "";
    const kills = /^oom_kill (\d+)$/m.exec(text)?.[1];
    if (kills !== undefined) return Number(kills);
  }
  return undefined;
}

/** Where a group may be below a mount of its hierarchy, the likeliest place first. */
function directoriesOf({ mountPoint, fsRoot }: Mount, group: string): readonly string[] {
  // We are in another cgroup namespace, so the beginning of the path is not known.
  if (CLIMB.test(group)) {
    return KUBELET_GROUPS.map((parent) => join(mountPoint, parent, group.replace(CLIMB, "")));
  }
  if (fsRoot === "/" || CLIMB.test(fsRoot)) return [join(mountPoint, group)];
  return `${group}/`.startsWith(`${fsRoot}/`) ? [join(mountPoint, group.slice(fsRoot.length))] : [];
}

const CLIMB = /^(\/\.\.)+(?=\/|$)/;

// The kubelet's groups above a pod's, with and without systemd.
const KUBELET_GROUPS = [
  "",
  "kubepods.slice",
  "kubepods.slice/kubepods-burstable.slice",
  "kubepods.slice/kubepods-besteffort.slice",
  "kubepods",
  "kubepods/burstable",
  "kubepods/besteffort",
];
