import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cleanup } from "./cleanup";

/** A memory cgroup of our own. */
export interface MemoryCgroup extends Disposable {
  /** Holds `cgroup.procs`. */
  readonly directory: string;
}

/** How memory can be limited here. */
export type MemoryController =
  | {
      readonly kind: "available";
      readonly version: 1 | 2;
      create(name: string, limitMib: number): MemoryCgroup;
    }
  | { readonly kind: "missing"; readonly why: string };

/** Finds the memory controller, of cgroup v1 or v2, and tries whether it lets us make a group. */
export function findMemoryController(cleanup: Cleanup): MemoryController {
  const hierarchies = [legacy(), unified()].filter((hierarchy) => hierarchy !== undefined);
  let why = "no memory controller of cgroup v1 or v2 is mounted";
  for (const hierarchy of hierarchies) {
    const create = (name: string, limitMib: number): MemoryCgroup => createGroup(hierarchy, name, limitMib, cleanup);
    try {
      create("probe", 64)[Symbol.dispose]();
      return { kind: "available", version: hierarchy.version, create };
    } catch (error) {
      why = `cgroup v${hierarchy.version}: ${Error.isError(error) ? error.message : String(error)}`;
    }
  }
  return { kind: "missing", why };
}

interface Hierarchy {
  readonly version: 1 | 2;
  readonly directory: string;
  readonly limitFile: string;
  /** What keeps the limit one of memory alone, where there is swap. */
  readonly withoutSwap: { readonly file: string; readonly value: string };
}

function legacy(): Hierarchy | undefined {
  const directory = mountPoint((type, options) => type === "cgroup" && options.includes("memory"));
  if (directory === undefined) return undefined;
  const withoutSwap = { file: "memory.swappiness", value: "0" };
  return { version: 1, directory, limitFile: "memory.limit_in_bytes", withoutSwap };
}

function unified(): Hierarchy | undefined {
  const directory = mountPoint((type) => type === "cgroup2");
  if (directory === undefined) return undefined;
  if (!readFileSync(join(directory, "cgroup.controllers"), "utf8").split(/\s+/).includes("memory")) return undefined;
  return { version: 2, directory, limitFile: "memory.max", withoutSwap: { file: "memory.swap.max", value: "0" } };
}

function createGroup(hierarchy: Hierarchy, name: string, limitMib: number, cleanup: Cleanup): MemoryCgroup {
  const { version, directory: parent, limitFile, withoutSwap } = hierarchy;
  const directory = join(parent, `livenessprobe-bench-${process.pid}-${name}`);
  mkdirSync(directory);
  const undo = cleanup.add(() => removeGroup(directory));
  try {
    if (version === 2 && !existsSync(join(directory, limitFile))) {
      writeFileSync(join(parent, "cgroup.subtree_control"), "+memory");
    }
    writeFileSync(join(directory, limitFile), String(limitMib * 2 ** 20));
    if (existsSync(join(directory, withoutSwap.file))) {
      writeFileSync(join(directory, withoutSwap.file), withoutSwap.value);
    }
  } catch (error) {
    undo[Symbol.dispose]();
    throw error;
  }
  return { directory, [Symbol.dispose]: undo[Symbol.dispose] };
}

/** A group is busy until the kernel is done with the last process of it. */
function removeGroup(directory: string): void {
  for (let attempts = 200; ; attempts -= 1) {
    try {
      rmdirSync(directory);
      return;
    } catch (error) {
      if (attempts === 0) throw error;
      Bun.sleepSync(10);
    }
  }
}

/** Where a file system is mounted, by the type and the options of proc_pid_mountinfo(5). */
function mountPoint(wanted: (type: string, options: readonly string[]) => boolean): string | undefined {
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [type = "", , options = ""] = after.split(" ");
    if (wanted(type, options.split(","))) return before.split(" ")[4];
  }
  return undefined;
}
