import { expect, test } from "bun:test";
import type { Component } from "../../scripts/image/contents/component";
import { spdxOf } from "../../scripts/image/contents/spdx";
import { type SpdxReading, missingFrom } from "./spdx";

const LIBRARY = {
  kind: "linked",
  name: "zlib",
  version: "1.3",
  purl: "pkg:generic/zlib@1.3",
  licence: "Zlib",
} as const satisfies Component;
const RUNTIME: Component = {
  kind: "runtime",
  name: "bun",
  version: "1.4.5",
  purl: "pkg:npm/bun@1.4.5",
  licence: "MIT",
  checksum: { algorithm: "SHA256", value: "ab" },
  parts: [LIBRARY],
};
const APK: Component = { kind: "apk", name: "one", version: "1-r0", licence: "Apache-2.0", parts: [RUNTIME] };
const SBOM: SpdxReading = spdxOf(APK, new Date(0));

test("an SBOM with all that is expected misses nothing", () => {
  expect(missingFrom(SBOM, [RUNTIME])).toEqual([]);
});

test.each([
  ["whose package is gone", { ...SBOM, packages: SBOM.packages.filter(({ name }) => name !== "zlib") }],
  [
    "with no way to the package",
    { ...SBOM, relationships: SBOM.relationships.filter((each) => !leadsTo(each, "zlib")) },
  ],
  [
    "that only depends on the package",
    { ...SBOM, relationships: SBOM.relationships.map((each) => ({ ...each, relationshipType: typeTo(each, "zlib") })) },
  ],
  ["with another version of it", withZlib({ versionInfo: "1.2" })],
  ["with another purl of it", withZlib({ externalRefs: [] })],
] as const)("an SBOM %s misses it", (_, sbom) => {
  expect(missingFrom(sbom, [RUNTIME])).toEqual(["linked zlib 1.3"]);
});

test("another checksum is another thing", () => {
  const other: Component = { ...RUNTIME, checksum: { algorithm: "SHA256", value: "cd" } };
  expect(missingFrom(SBOM, [other])).toEqual(["runtime bun 1.4.5"]);
});

function leadsTo({ relatedSpdxElement }: SpdxReading["relationships"][number], name: string): boolean {
  return relatedSpdxElement.includes(name);
}

function typeTo(relationship: SpdxReading["relationships"][number], name: string): string {
  return leadsTo(relationship, name) ? "DEPENDS_ON" : relationship.relationshipType;
}

function withZlib(change: object): SpdxReading {
  return { ...SBOM, packages: SBOM.packages.map((each) => (each.name === "zlib" ? { ...each, ...change } : each)) };
}
