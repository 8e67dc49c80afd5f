import { closeSync, existsSync, openSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { attempt } from "../../src/base/errors";

/**
 * What a running node has on this machine. While it is not disposed of, no new namespace gets the number of an old one.
 */
export interface Belongings extends Disposable {
  readonly directory: string;
  readonly cgroup: string;
  /** Of all its processes: `net:[4026531840]`. */
  readonly namespaces: ReadonlySet<string>;
  /** What was mounted in the caller's mount namespace. */
  readonly mounts: string;
}

const NAMESPACES = ["pid", "net"] as const;

/** @param pid the first process of the node's PID namespace */
export function belongings(directory: string, cgroup: string, pid: number): Belongings {
  const files = descendants(pid).flatMap((each) =>
    NAMESPACES.map((name) => attempt(() => openSync(nsFile(each, name), "r"))),
  );
  const held = files.filter((file) => file !== undefined);
  const namespaces = new Set(held.map((file) => readlinkSync(`/proc/self/fd/${file}`)));
  return {
    directory,
    cgroup,
    namespaces: namespaces.difference(new Set(namespacesOf("self"))),
    mounts: mounts(),
    [Symbol.dispose]: () => held.forEach((file) => closeSync(file)),
  };
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

/** What is mounted in this process's mount namespace. */
export function mounts(): string {
  return readFileSync("/proc/self/mountinfo", "utf8");
}

function descendants(pid: number): readonly string[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" "));
  return [String(pid), ...children.filter(Boolean).flatMap((child) => descendants(Number(child)))];
}

/** Empty where the process has ended. */
function namespacesOf(pid: string): readonly string[] {
  return attempt(() => NAMESPACES.map((name) => readlinkSync(nsFile(pid, name)))) ?? [];
}

function nsFile(pid: string, name: (typeof NAMESPACES)[number]): string {
  return `/proc/${pid}/ns/${name}`;
}
