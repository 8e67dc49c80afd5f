import { type Checksum, type Component, NOASSERTION, flatten, jointLicence } from "./component";
import { contentUuid } from "./content-uuid";

/** CycloneDX 1.6 in JSON (https://cyclonedx.org/docs/1.6/json/), as far as an executable of ours needs it. */
export interface CycloneDxDocument {
  readonly $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json";
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: { readonly timestamp: string; readonly component: CycloneDxComponent };
  readonly components: readonly CycloneDxComponent[];
  readonly dependencies: readonly CycloneDxDependency[];
}

export interface CycloneDxComponent {
  readonly type: "application" | "library" | "platform";
  readonly "bom-ref": string;
  readonly supplier?: { readonly name: string };
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly CycloneDxLicence[];
  readonly purl?: string;
}

export type CycloneDxLicence = { readonly license: { readonly id: string } } | { readonly expression: string };

export interface CycloneDxDependency {
  readonly ref: string;
  readonly dependsOn: readonly string[];
}

/** An executable of a release. */
export interface ReleaseBinary {
  /** The file's name: `livenessprobe-linux-x64`. */
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** An SPDX expression, of our part of it. */
  readonly licence: string;
  /** In hexadecimal. */
  readonly sha256: string;
}

/**
 * What an executable is made of. The same document from the same input: the serial number comes of the content.
 *
 * @param created what it is dated
 */
export function cyclonedxOfBinary(
  binary: ReleaseBinary,
  contains: readonly Component[],
  created: Date,
): CycloneDxDocument {
  const { name, version, description, licence, sha256 } = binary;
  const root: CycloneDxComponent = {
    type: "application",
    "bom-ref": name,
    supplier: { name: "csi-livenessprobe" },
    name,
    version,
    description,
    hashes: [hash({ algorithm: "SHA256", value: sha256 })],
    licenses: licences(jointLicence(licence, contains)),
  };
  const content = {
    metadata: { timestamp: created.toISOString(), component: root },
    components: flatten(contains).map(describe),
    dependencies: [{ ref: name, dependsOn: contains.map(reference) }, ...flatten(contains).map(dependency)],
  };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${contentUuid(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
}

function describe(component: Component): CycloneDxComponent {
  const { kind, name, version, licence, checksum, supplier, note, purl } = component;
  return {
    type: kind === "runtime" ? "platform" : "library",
    "bom-ref": reference(component),
    ...(supplier === undefined ? {} : { supplier: { name: supplier } }),
    name,
    ...(version === undefined ? {} : { version }),
    ...(note === undefined ? {} : { description: note }),
    ...(checksum === undefined ? {} : { hashes: [hash(checksum)] }),
    ...(licence === NOASSERTION ? {} : { licenses: licences(licence) }),
    ...(purl === undefined ? {} : { purl }),
  };
}

function dependency(component: Component): CycloneDxDependency {
  return { ref: reference(component), dependsOn: (component.parts ?? []).map(reference) };
}

function reference({ kind, name, version }: Component): string {
  return [kind, name, version].filter((part) => part !== undefined).join(":");
}

/** `SHA256` -> `SHA-256` */
function hash({ algorithm, value }: Checksum) {
  return { alg: algorithm.replace("SHA", "SHA-"), content: value };
}

function licences(expression: string): readonly CycloneDxLicence[] {
  return / /.test(expression) ? [{ expression }] : [{ license: { id: expression } }];
}
