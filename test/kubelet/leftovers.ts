import { existsSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** What a running node has on this machine. */
export interface Belongings {
  readonly directory: string;
  readonly cgroup: string;
  /** Of all its processes: `net:[4026531840]`. */
  readonly namespaces: ReadonlySet<string>;
  /** What was mounted in the caller's mount namespace. */
  readonly mounts: string;
}

const NAMESPACES = ["pid", "net", "mnt"] as const;

/** @param pid the first process of the node's PID namespace */
export function belongings(directory: string, cgroup: string, pid: number): Belongings {
  const own = namespacesOf("self");
  const namespaces = new Set(descendants(pid).flatMap(namespacesOf));
  return { directory, cgroup, namespaces: namespaces.difference(new Set(own)), mounts: mounts() };
}

/** What is left of a node, each in a line; empty where nothing is. */
export function leftovers({ directory, cgroup, namespaces, mounts: before }: Belongings): readonly string[] {
  const processes = readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => namespacesOf(pid).some((namespace) => namespaces.has(namespace)))
    .map((pid) => `process ${pid}`);
  const cgroups = ["", ...readdirSync("/sys/fs/cgroup")]
    .map((hierarchy) => join("/sys/fs/cgroup", hierarchy, cgroup))
    .filter(existsSync);
  const files = [directory].filter(existsSync);
  return [...processes, ...cgroups, ...files, ...(mounts() === before ? [] : [`mounts: ${mounts()}`])];
}

function mounts(): string {
  return readFileSync("/proc/self/mountinfo", "utf8");
}

function descendants(pid: number): readonly string[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" "));
  return [String(pid), ...children.filter(Boolean).flatMap((child) => descendants(Number(child)))];
}

/** Empty where the process has ended. */
function namespacesOf(pid: string): readonly string[] {
  try {
    return NAMESPACES.map((name) => readlinkSync(`/proc/${pid}/ns/${name}`));
  } catch {
    return [];
  }
}
