import { join } from "node:path";
import type { Node } from "./node";
import { apply } from "./pods";

export const EXAMPLES = join(import.meta.dirname, "../../deploy/examples");

/** What these tests read of an object: of a DaemonSet or a Deployment (apps/v1), the template of its pods too. */
interface ApiObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: { readonly template?: { readonly metadata: object; readonly spec: PodSpec } };
}

/** Of core/v1. */
export interface PodSpec {
  readonly containers: readonly Container[];
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
}

/**
 * Applies a file, or a folder with a kustomization, of deploy/examples, and starts a pod of each workload in it: this
 * cluster has no controllers and no scheduler.
 *
 * @param path such as `monitor`
 * @param change what differs from the manifest
 * @returns the pods' names: those of the workloads
 */
export async function applyExample(
  node: Node,
  path: string,
  change: (spec: PodSpec) => PodSpec = (spec) => spec,
): Promise<readonly string[]> {
  const how = path.endsWith(".yaml") ? "--filename" : "--kustomize";
  const applied = await node.kubectl(["apply", how, join(EXAMPLES, path), "--output=json"]);
  // One object, or a list of them.
  const read = JSON.parse(applied) as ApiObject | { readonly kind: "List"; readonly items: readonly ApiObject[] };
  const objects = "items" in read ? read.items : [read];
  const names: string[] = [];
  for (const { metadata, spec } of objects) {
    if (spec?.template === undefined) continue;
    const { name, namespace } = metadata;
    const podSpec = { ...change(spec.template.spec), nodeName: "node" };
    await apply(node, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...spec.template.metadata, name, namespace },
      spec: podSpec,
    });
    names.push(name);
  }
  return names;
}

/** A container's arguments with others in place of those of the same flags. */
export function withArgs(spec: PodSpec, container: string, args: Readonly<Record<string, string>>): PodSpec {
  const changed = (old: readonly string[]) =>
    old.map((word) => {
      const [flag = ""] = word.split("=");
      return flag in args ? `${flag}=${args[flag]}` : word;
    });
  return {
    ...spec,
    containers: spec.containers.map((each) =>
      each.name === container ? { ...each, args: changed(each.args ?? []) } : each,
    ),
  };
}
