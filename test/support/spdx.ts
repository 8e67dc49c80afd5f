import { type Component, flatten } from "../../scripts/image/contents/component";

/** What these tests read of SPDX 2.3 in JSON, whoever wrote it. */
export interface SpdxReading {
  readonly documentDescribes?: readonly string[];
  readonly packages: readonly ReadPackage[];
  readonly relationships: readonly ReadRelationship[];
}

export interface ReadPackage {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo?: string;
  readonly licenseDeclared?: string;
  readonly checksums?: readonly { readonly algorithm: string; readonly checksumValue: string }[];
  readonly externalRefs?: readonly { readonly referenceType: string; readonly referenceLocator: string }[];
}

export interface ReadRelationship {
  readonly spdxElementId: string;
  readonly relationshipType: string;
  readonly relatedSpdxElement: string;
}

/**
 * What is expected, and not in the SBOM: in no package that has the same name, version, purl and checksum and that can
 * be reached from what the document describes, by what it contains.
 *
 * @param expected with all that they carry
 * @returns each as `KIND NAME VERSION`
 */
export function missingFrom(sbom: SpdxReading, expected: readonly Component[]): readonly string[] {
  const there = contained(sbom);
  return flatten(expected)
    .filter((component) => !there.some((found) => isThe(component, found)))
    .map(({ kind, name, version }) => [kind, name, version].filter((part) => part !== undefined).join(" "));
}

/** The packages that can be reached from what the document describes. */
export function contained({ documentDescribes = [], packages, relationships }: SpdxReading): readonly ReadPackage[] {
  const reached = new Set(documentDescribes);
  // A set takes what is added while it is walked.
  for (const id of reached)
    for (const { spdxElementId, relationshipType, relatedSpdxElement } of relationships)
      if (spdxElementId === id && relationshipType === "CONTAINS") reached.add(relatedSpdxElement);
  return packages.filter(({ SPDXID }) => reached.has(SPDXID));
}

function isThe({ name, version, purl, checksum }: Component, found: ReadPackage): boolean {
  return (
    found.name === name &&
    found.versionInfo === version &&
    (purl === undefined || purlsOf(found).includes(purl)) &&
    (checksum === undefined ||
      (found.checksums ?? []).some(
        ({ algorithm, checksumValue }) => algorithm === checksum.algorithm && checksumValue === checksum.value,
      ))
  );
}

export function purlsOf({ externalRefs = [] }: ReadPackage): readonly string[] {
  return externalRefs.filter(({ referenceType }) => referenceType === "purl").map((one) => one.referenceLocator);
}
