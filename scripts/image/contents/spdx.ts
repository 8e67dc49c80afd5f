import { type Component, NOASSERTION, flatten } from "./component";

/** The organization that our own packages come from. */
export const PROJECT = "csi-livenessprobe";

export type SpdxDocument = ReturnType<typeof spdxOf>;

/**
 * What a component is made of, in SPDX 2.3 as JSON (https://spdx.github.io/spdx-spec/v2.3/): the same document from the
 * same input.
 *
 * apko copies into the SBOM of the image what can be reached from the element that the document describes. It copies
 * only packages, so a file is a package here, with the purpose FILE.
 *
 * @param created the document's date, in whole seconds: SPDX has no fractions
 * @throws where two components have one id
 */
export function spdxOf(top: Component, created: Date) {
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${top.name}-${top.version}`,
    creationInfo: { created: created.toISOString().replace(/\.\d+Z$/, "Z"), creators: [`Organization: ${PROJECT}`] },
    documentDescribes: [idOf(top)],
    packages: flatten([top]).map(packageOf),
    relationships: [relationship("SPDXRef-DOCUMENT", "DESCRIBES", top), ...containments(top)],
  } as const;
  checkIds(document.packages);
  // SPDX 2.3, 6.5: a unique URI, below spdx.org/spdxdocs for those without a site of their own.
  const hash = Bun.SHA256.hash(JSON.stringify(document), "hex");
  return { ...document, documentNamespace: `https://spdx.org/spdxdocs/${document.name}-${hash}` };
}

function packageOf(component: Component) {
  const { kind, name, version, licence, checksum, supplier, note, description } = component;
  return {
    SPDXID: idOf(component),
    name,
    ...(version === undefined ? {} : { versionInfo: version }),
    // apko fills in an empty supplier or originator with the image's operating system, which would be wrong.
    supplier: supplier === undefined ? NOASSERTION : `Organization: ${supplier}`,
    originator: supplier === PROJECT ? `Organization: ${PROJECT}` : NOASSERTION,
    downloadLocation: component.downloadLocation ?? NOASSERTION,
    filesAnalyzed: false,
    ...(checksum === undefined
      ? {}
      : { checksums: [{ algorithm: checksum.algorithm, checksumValue: checksum.value }] }),
    ...(note === undefined ? {} : { sourceInfo: note }),
    licenseConcluded: supplier === PROJECT ? licence : NOASSERTION,
    licenseDeclared: licence,
    copyrightText: NOASSERTION,
    ...(description === undefined ? {} : { description }),
    ...(component.purl === undefined ? {} : { externalRefs: [reference(component.purl)] }),
    primaryPackagePurpose: purposeOf(kind),
  } as const;
}

function purposeOf(kind: Component["kind"]): "APPLICATION" | "FILE" | "LIBRARY" {
  if (kind === "file") return "FILE";
  return kind === "apk" || kind === "executable" ? "APPLICATION" : "LIBRARY";
}

function reference(locator: string) {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: locator } as const;
}

type Relationship = ReturnType<typeof relationship>;

function relationship(from: string, relationshipType: "CONTAINS" | "DESCRIBES", to: Component) {
  return { spdxElementId: from, relationshipType, relatedSpdxElement: idOf(to) };
}

function containments(component: Component): readonly Relationship[] {
  const { parts = [] } = component;
  return parts.flatMap((part) => [relationship(idOf(component), "CONTAINS", part), ...containments(part)]);
}

/** Letters, digits, `.` and `-` (SPDX 2.3, 7.2). apko skips ids that begin with `SPDXRef-File-`. */
function idOf({ kind, name, version }: Component): string {
  const text = [kind, name, version].filter((part) => part !== undefined).join("-");
  return `SPDXRef-Package-${text.replaceAll(/[^a-zA-Z0-9.-]+/g, "-").replaceAll(/-{2,}/g, "-")}`;
}

function checkIds(packages: readonly { readonly SPDXID: string; readonly name: string }[]): void {
  const seen = new Set<string>();
  for (const { SPDXID, name } of packages) {
    if (seen.has(SPDXID)) throw new Error(`Two packages of the SBOM have the id ${SPDXID}; the second is ${name}`);
    seen.add(SPDXID);
  }
}
