import { createMountTable, type MountTable, parseMountInfo, readMounts } from "../../src/node/mounts";
import { createRoot, type Root } from "../../src/node/rooted-path";
import type { MadeNode } from "./made-node";

/** A made node as a root, with what is mounted in it at this moment. */
export function rootOf(node: MadeNode): Root {
  return createRoot(node.rootDir, ownMounts().seenFrom(node.rootDir));
}

/** What is mounted in the tests' own namespace. */
export function ownMounts(): MountTable {
  const mounts = readMounts("/proc/self/mountinfo");
  if (mounts === undefined) throw new Error("no mountinfo");
  return mounts;
}

/** A table of mounts that are not there. Each text is a mount point and its type: `/data nfs4`. */
export function tableOf(...mounts: readonly string[]): MountTable {
  const lines = mounts.map((mount) => mount.split(" ")).map(([path, type]) => `1 0 8:1 / ${path} rw - ${type} none rw`);
  return createMountTable(parseMountInfo(lines.join("\n")));
}
