import { join } from "node:path";
import { podCgroupOf, type Cgroup } from "./cgroups";
import type { Mount } from "../node/mounts";
import { readText, valueOf } from "../node/reads";
import type { Root } from "../node/rooted-path";

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

// Kernel documentation, admin-guide/cgroup-v2.rst "memory.events" and cgroup-v1/memory.rst "OOM Control": lines of name and number.
function killsIn(root: Root, isHierarchy: (mount: Mount) => boolean, group: string, file: string): number | undefined {
  const directories = root.mounts.all.filter(isHierarchy).flatMap((mount) => directoriesOf(mount, group));
  for (const directory of directories) {
    const found = root.resolve(join(directory, file));
    const text = found.kind === "found" ? valueOf(readText(found.outerPath)) : undefined;
    const kills = /^oom_kill (\d+)$/m.exec(text ?? "")?.[1];
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
