import { expect } from "bun:test";
import { type Implementation, startDriver } from "./drivers";
import { behindShell } from "./executable";
import { type MadeNode, makeKubeletRoot, makeNode } from "./made-node";
import { schemaFaults } from "./output-schema";
import { startRegistrationServer } from "./registration-server";
import { runSidecar } from "./sidecar";

export const PLUGINS = "/var/lib/kubelet/plugins";
export const REGISTRY = "/var/lib/kubelet/plugins_registry";

export interface Row {
  readonly socket: string;
  readonly driver?: string;
  readonly nameSource?: string;
  readonly state: string;
  readonly reason?: string;
  readonly what?: string;
  readonly message?: string;
  readonly announced: string;
}

export interface Listed {
  readonly code: number | null;
  readonly rows: readonly Row[];
  readonly stderr: string;
}

/** A node with the directories that every kubelet makes. */
export function kubeletNode(): MadeNode {
  const node = makeNode();
  makeKubeletRoot(node);
  return node;
}

/** The path of a socket in a driver's directory, which is made. */
export function placeIn(node: MadeNode, place: string): string {
  node.directory(`${PLUGINS}/${place}`);
  return node.outer(`${PLUGINS}/${place}/csi.sock`);
}

export async function startIn(node: MadeNode, implementation: Implementation, place: string, plugins = PLUGINS) {
  node.directory(`${plugins}/${place}`);
  const name = place.split("/").at(-1) ?? "";
  return startDriver(implementation, { name, socketPath: node.outer(`${plugins}/${place}/csi.sock`) });
}

export function startRegistrar(node: MadeNode, options: Parameters<typeof startRegistrationServer>[0]) {
  return startRegistrationServer({ name: "a.csi", ...options, socketPath: node.outer(`${REGISTRY}/a-reg.sock`) });
}

/** @param before shell commands that run first, in the process that becomes `list`: what they set is inherited */
export async function list(node: MadeNode, args: readonly string[] = [], before = ""): Promise<Listed> {
  const words = ["list", "--root", node.rootDir, "-o", "json", ...args];
  const ran = await (before === "" ? runSidecar(words) : runSidecar(...behindShell(before, words)));
  const document: { readonly items: readonly Row[] } = JSON.parse(ran.stdout);
  expect(schemaFaults(document)).toEqual([]);
  return { code: ran.code, rows: document.items, stderr: ran.stderr };
}

/** How many rows have each reason or, without one, each state. */
export function countBy(rows: readonly Row[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state, reason } of rows) counts[reason ?? state] = (counts[reason ?? state] ?? 0) + 1;
  return counts;
}
