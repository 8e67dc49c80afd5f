import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** What the tests read of a Kubernetes object. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: Metadata;
  /** A namespace has none. */
  readonly spec?: Partial<Workload>;
}

export interface Workload {
  readonly selector: { readonly matchLabels: Labels };
  readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
}

export type Labels = Readonly<Record<string, string>>;

export interface PodSpec {
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly securityContext?: SecurityContext;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly ({ readonly name: string } & Readonly<Record<string, unknown>>)[];
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly restartPolicy?: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly hostPort?: number }[];
  readonly resources?: unknown;
  readonly livenessProbe?: Probe;
  readonly securityContext?: SecurityContext;
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

export interface Probe {
  readonly httpGet?: { readonly host?: string; readonly path: string; readonly port: number | string };
  readonly exec?: { readonly command: readonly string[] };
  readonly timeoutSeconds?: number;
}

/** A pod's and a container's: some fields are of the one alone. */
export interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly fsGroup?: number;
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly procMount?: string;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly seccompProfile?: { readonly type: string };
  readonly appArmorProfile?: { readonly type: string };
  readonly seLinuxOptions?: { readonly type?: string; readonly user?: string; readonly role?: string };
  readonly sysctls?: readonly { readonly name: string }[];
}

/** The objects of a YAML file. That they have the shape of their kind is for kubernetes-validate to say. */
export function readManifests(path: string): readonly Manifest[] {
  return [Bun.YAML.parse(readFileSync(path, "utf8"))].flat() as readonly Manifest[];
}

/**
 * The pod of the one workload among these objects.
 *
 * @throws where there is none
 */
export function podOf(manifests: readonly Manifest[]): PodSpec {
  return workloadOf(manifests).template.spec;
}

/** @throws where there is none */
export function workloadOf(manifests: readonly Manifest[]): Workload & { readonly metadata: Metadata } {
  for (const { metadata, spec: { selector, template } = {} } of manifests) {
    if (selector !== undefined && template !== undefined) return { metadata, selector, template };
  }
  throw new Error(`no workload among ${manifests.map(({ kind }) => kind).join(", ")}`);
}

export function containersOf({ initContainers = [], containers }: PodSpec): readonly Container[] {
  return [...initContainers, ...containers];
}

/** @throws where the pod has none of this name */
export function containerOf(pod: PodSpec, name: string): Container {
  const container = containersOf(pod).find((candidate) => candidate.name === name);
  if (container === undefined) throw new Error(`the pod has no container ${name}`);
  return container;
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly patches?: readonly { readonly path: string }[];
}

/**
 * What `kustomize build DIRECTORY` makes of a kustomization that has nothing but resources and strategic merge patches.
 *
 * @throws where a patch is for an object that no resource has
 */
export function buildKustomization(directory: string): readonly Manifest[] {
  const text = readFileSync(join(directory, "kustomization.yaml"), "utf8");
  // Ours, and of these two fields; kustomize itself built the same of it.
  const { resources, patches = [] } = Bun.YAML.parse(text) as Kustomization;
  const manifests = resources.flatMap((resource) => {
    const path = join(directory, resource);
    return statSync(path).isDirectory() ? buildKustomization(path) : readManifests(path);
  });
  return patches.flatMap(({ path }) => readManifests(join(directory, path))).reduce(patched, manifests);
}

function patched(manifests: readonly Manifest[], patch: Manifest): readonly Manifest[] {
  const isMeant = ({ kind, metadata }: Manifest) =>
    kind === patch.kind && metadata.name === patch.metadata.name && metadata.namespace === patch.metadata.namespace;
  if (!manifests.some(isMeant)) throw new Error(`no resource is the ${patch.kind} ${patch.metadata.name}`);
  // A manifest with another's fields over its own is one.
  return manifests.map((manifest) => (isMeant(manifest) ? (merge(manifest, patch) as Manifest) : manifest));
}

/**
 * Lists of things with names are merged by name, as those of a pod are; another list or value takes the old one's
 * place, and null removes a field.
 */
function merge(old: unknown, patch: unknown): unknown {
  if (isNamedList(old) && isNamedList(patch)) {
    const known = new Set(old.map(({ name }) => name));
    const merged = old.map((item) =>
      merge(
        item,
        patch.find(({ name }) => name === item.name),
      ),
    );
    return [...merged, ...patch.filter(({ name }) => !known.has(name))];
  }
  if (!isObject(old) || !isObject(patch)) return patch ?? old;
  const fields = Object.entries({ ...old, ...patch }).filter(([key]) => patch[key] !== null);
  return Object.fromEntries(fields.map(([key]) => [key, merge(old[key], patch[key])]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNamedList(value: unknown): value is readonly { readonly name: unknown }[] {
  return Array.isArray(value) && value.every((item) => isObject(item) && "name" in item);
}
