import { describe, expect, test } from "bun:test";
import type { Component } from "../../../scripts/image/component";
import { spdxOfPackage, spdxPath } from "../../../scripts/image/spdx";

const APK = {
  type: "apk",
  name: "livenessprobe",
  version: "0.1.0-r0",
  architecture: "aarch64",
  licence: "Apache-2.0",
  description: "A sidecar",
} as const;
const BUN: Component = {
  kind: "runtime",
  name: "@oven/bun",
  version: "1.4.5",
  purl: "pkg:npm/%40oven/bun@1.4.5",
  licence: "MIT",
  supplier: "Oven",
  note: "Of commit abc",
  parts: [{ kind: "linked", name: "brotli", licence: "MIT" }],
};
const FILE = { path: "/usr/bin/livenessprobe", sha256: "ab", licence: "Apache-2.0", contains: [BUN] };
const CREATED = new Date("2026-01-02T03:04:05.678Z");
const SBOM = spdxOfPackage(APK, [FILE], [], CREATED);

test("it lies where apko looks for it", () => {
  expect(spdxPath(APK)).toBe("/var/lib/db/sbom/livenessprobe-0.1.0-r0.spdx.json");
});

test("it describes the apk, which contains the file, which contains Bun, which contains its parts", () => {
  const [apk, file, bun, brotli] = [
    "SPDXRef-Package-apk-livenessprobe-0.1.0-r0",
    "SPDXRef-Package-file-usr-bin-livenessprobe",
    "SPDXRef-Package-runtime-oven-bun-1.4.5",
    "SPDXRef-Package-linked-brotli",
  ] as const;
  expect(SBOM.documentDescribes).toEqual([apk]);
  expect(SBOM.packages.map(({ SPDXID }) => SPDXID)).toEqual([apk, file, bun, brotli]);
  expect(
    SBOM.relationships.map((each) => [each.spdxElementId, each.relationshipType, each.relatedSpdxElement]),
  ).toEqual([
    ["SPDXRef-DOCUMENT", "DESCRIBES", apk],
    [apk, "CONTAINS", file],
    [file, "CONTAINS", bun],
    [bun, "CONTAINS", brotli],
  ]);
});

test("a file is a package with its hash, and what Bun is made of says who it was had from", () => {
  const [apk, file, bun, brotli] = SBOM.packages;
  expect(apk?.externalRefs?.[0]?.referenceLocator).toBe(
    "pkg:apk/csi-livenessprobe/livenessprobe@0.1.0-r0?arch=aarch64",
  );
  expect(file).toMatchObject({
    name: "/usr/bin/livenessprobe",
    primaryPackagePurpose: "FILE",
    licenseDeclared: "Apache-2.0",
    checksums: [{ algorithm: "SHA256", checksumValue: "ab" }],
  });
  expect(bun).toMatchObject({ supplier: "Organization: Oven", sourceInfo: "Of commit abc", versionInfo: "1.4.5" });
  expect(brotli).not.toHaveProperty("versionInfo");
});

test("apko is left nothing to fill in with the image's operating system", () => {
  for (const { supplier, originator } of SBOM.packages)
    expect([supplier, originator]).not.toContainAnyValues(["", undefined]);
});

describe("the document", () => {
  test("is dated in whole seconds, in UTC", () => {
    expect(SBOM.creationInfo.created).toBe("2026-01-02T03:04:05Z");
  });

  test("is the same from the same input", () => {
    expect(spdxOfPackage(APK, [FILE], [], CREATED)).toEqual(SBOM);
  });

  test.each([
    ["date", spdxOfPackage(APK, [FILE], [], new Date(0))],
    ["file", spdxOfPackage(APK, [{ ...FILE, sha256: "cd", licence: "Apache-2.0" }], [], CREATED)],
    ["content", spdxOfPackage(APK, [FILE], [{ ...BUN, name: "other", parts: [] }], CREATED)],
  ])("has another namespace with another %s", (_, other) => {
    const form = /^https:\/\/spdx\.org\/spdxdocs\/livenessprobe-0\.1\.0-r0-aarch64-[0-9a-f]{64}$/;
    expect([SBOM, other].filter(({ documentNamespace }) => form.test(documentNamespace))).toHaveLength(2);
    expect(other.documentNamespace).not.toBe(SBOM.documentNamespace);
  });
});

test("two things whose names become one id are refused", () => {
  const files = [FILE, { path: "/usr/bin-livenessprobe", sha256: "cd", licence: "Apache-2.0" }];
  expect(() => spdxOfPackage(APK, files, [], CREATED)).toThrow(
    "Two things of the SBOM have the id SPDXRef-Package-file-usr-bin-livenessprobe, the second is /usr/bin-livenessprobe",
  );
});
