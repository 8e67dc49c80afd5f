import { createHash } from "node:crypto";
import { type Component, NOASSERTION, flatten } from "./component";
import { purl } from "./purl";

/** SPDX 2.3 in JSON (https://spdx.github.io/spdx-spec/v2.3/), as far as an apk of ours needs it. */
export interface SpdxDocument {
  readonly spdxVersion: "SPDX-2.3";
  readonly dataLicense: "CC0-1.0";
  readonly SPDXID: "SPDXRef-DOCUMENT";
  readonly name: string;
  readonly documentNamespace: string;
  readonly creationInfo: { readonly created: string; readonly creators: readonly string[] };
  readonly documentDescribes: readonly string[];
  readonly packages: readonly SpdxPackage[];
  readonly relationships: readonly SpdxRelationship[];
}

export interface SpdxPackage {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo?: string;
  readonly supplier: string;
  readonly originator: string;
  readonly downloadLocation: string;
  readonly filesAnalyzed: false;
  readonly checksums?: readonly { readonly algorithm: string; readonly checksumValue: string }[];
  readonly sourceInfo?: string;
  readonly licenseConcluded: string;
  readonly licenseDeclared: string;
  readonly copyrightText: string;
  readonly description?: string;
  readonly externalRefs?: readonly SpdxReference[];
  readonly primaryPackagePurpose: "APPLICATION" | "FILE" | "LIBRARY";
}

export interface SpdxReference {
  readonly referenceCategory: "PACKAGE-MANAGER";
  readonly referenceType: "purl";
  readonly referenceLocator: string;
}

export interface SpdxRelationship {
  readonly spdxElementId: string;
  readonly relationshipType: "CONTAINS" | "DESCRIBES";
  readonly relatedSpdxElement: string;
}

/** An apk of ours, or an executable of a release, as its SBOM names it. */
export interface SpdxSubject {
  /** That of its purl: `generic` for an executable. */
  readonly type: "apk" | "generic";
  readonly name: string;
  /** An apk's with the release: `0.1.0-r0`. */
  readonly version: string;
  readonly architecture: "x86_64" | "aarch64";
  /** An SPDX expression. */
  readonly licence: string;
  readonly description: string;
}

/** A file of the apk, with what it is made of. */
export interface SpdxFile {
  /** Where it is in the image: absolute. */
  readonly path: string;
  /** In hexadecimal. */
  readonly sha256: string;
  /** An SPDX expression, or `NOASSERTION`. */
  readonly licence: string;
  readonly contains?: readonly Component[];
}

const US = "Organization: csi-livenessprobe";

/** Where apko looks for an apk's own SBOM: apko 1.2.31, pkg/sbom/generator/spdx, locateApkSBOM. */
export function spdxPath({ name, version }: Pick<SpdxSubject, "name" | "version">): string {
  return `/var/lib/db/sbom/${name}-${version}.spdx.json`;
}

/**
 * What an apk or an executable is made of. apko copies into the SBOM of the image what can be reached from the element
 * that the document describes. It copies only packages, so a file is a package here, with the purpose FILE. It would
 * fill an empty supplier or originator with the image's operating system, which would be wrong, so none is empty.
 *
 * The same document from the same input.
 *
 * @param files of the subject
 * @param contains what the subject as a whole contains, and no single file of it
 * @param created what it is dated, in whole seconds
 */
export function spdxOfPackage(
  subject: SpdxSubject,
  files: readonly SpdxFile[],
  contains: readonly Component[],
  created: Date,
): SpdxDocument {
  const top = subjectPackage(subject);
  const tree = [...files.map(fileComponent), ...contains];
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${subject.name}-${subject.version}-${subject.architecture}`,
    creationInfo: { created: seconds(created), creators: [US] },
    documentDescribes: [top.SPDXID],
    packages: [top, ...flatten(tree).map(componentPackage)],
    relationships: [describes(top.SPDXID), ...relations(top.SPDXID, tree)],
  } as const;
  checkIds(document.packages);
  // SPDX 2.3, 6.5: a URI that no other document has; for those without a site of their own, below spdx.org/spdxdocs.
  const hash = createHash("sha256").update(JSON.stringify(document)).digest("hex");
  return { ...document, documentNamespace: `https://spdx.org/spdxdocs/${document.name}-${hash}` };
}

function subjectPackage({ type, name, version, architecture, licence, description }: SpdxSubject): SpdxPackage {
  const fields = { type, namespace: "csi-livenessprobe", name, version, qualifiers: { arch: architecture } };
  return {
    SPDXID: id(type, name, version),
    name,
    versionInfo: version,
    supplier: US,
    originator: US,
    downloadLocation: NOASSERTION,
    filesAnalyzed: false,
    licenseConcluded: licence,
    licenseDeclared: licence,
    copyrightText: NOASSERTION,
    description,
    externalRefs: [reference(purl(fields))],
    primaryPackagePurpose: "APPLICATION",
  };
}

function fileComponent({ path, sha256, licence, contains = [] }: SpdxFile): Component {
  return { kind: "file", name: path, licence, checksum: { algorithm: "SHA256", value: sha256 }, parts: contains };
}

function componentPackage(component: Component): SpdxPackage {
  const { kind, name, version, licence, downloadLocation, checksum, supplier, note } = component;
  return {
    SPDXID: componentId(component),
    name,
    ...(version === undefined ? {} : { versionInfo: version }),
    supplier: supplier === undefined ? NOASSERTION : `Organization: ${supplier}`,
    originator: NOASSERTION,
    downloadLocation: downloadLocation ?? NOASSERTION,
    filesAnalyzed: false,
    ...(checksum === undefined
      ? {}
      : { checksums: [{ algorithm: checksum.algorithm, checksumValue: checksum.value }] }),
    ...(note === undefined ? {} : { sourceInfo: note }),
    licenseConcluded: NOASSERTION,
    licenseDeclared: licence,
    copyrightText: NOASSERTION,
    ...(component.purl === undefined ? {} : { externalRefs: [reference(component.purl)] }),
    primaryPackagePurpose: kind === "file" ? "FILE" : "LIBRARY",
  };
}

function reference(locator: string): SpdxReference {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: locator };
}

function describes(element: string): SpdxRelationship {
  return { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: element };
}

function relations(parent: string, components: readonly Component[]): readonly SpdxRelationship[] {
  return components.flatMap((component) => {
    const child = componentId(component);
    const relation = { spdxElementId: parent, relationshipType: "CONTAINS", relatedSpdxElement: child } as const;
    return [relation, ...relations(child, component.parts ?? [])];
  });
}

function componentId({ kind, name, version }: Component): string {
  return id(kind, name, version);
}

/** Letters, digits, `.` and `-` (SPDX 2.3, 7.2); not `SPDXRef-File-`, which apko leaves out. */
function id(...parts: readonly (string | undefined)[]): string {
  const text = parts.filter((part) => part !== undefined).join("-");
  return `SPDXRef-Package-${text.replaceAll(/[^a-zA-Z0-9.-]+/g, "-").replaceAll(/-{2,}/g, "-")}`;
}

function checkIds(packages: readonly SpdxPackage[]): void {
  const seen = new Set<string>();
  for (const { SPDXID, name } of packages) {
    if (seen.has(SPDXID)) throw new Error(`Two things of the SBOM have the id ${SPDXID}, the second is ${name}`);
    seen.add(SPDXID);
  }
}

/** SPDX has no fractions of a second. */
function seconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
