import { describe, expect, test } from "bun:test";
import type { Component } from "../../../../scripts/image/contents/component";
import { spdxOf } from "../../../../scripts/image/contents/spdx";

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
const FILE: Component = {
  kind: "file",
  name: "/usr/bin/livenessprobe",
  licence: "Apache-2.0",
  checksum: { algorithm: "SHA256", value: "ab" },
  parts: [BUN],
};
const APK: Component = {
  kind: "apk",
  name: "livenessprobe",
  version: "0.1.0-r0",
  purl: "pkg:apk/csi-livenessprobe/livenessprobe@0.1.0-r0?arch=aarch64",
  licence: "Apache-2.0",
  description: "A sidecar",
  supplier: "csi-livenessprobe",
  parts: [FILE],
};
const CREATED = new Date("2026-01-02T03:04:05.678Z");
const SBOM = spdxOf(APK, CREATED);

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

test("a file is a package with its hash, and what Bun is made of says who it comes from", () => {
  const [apk, file, bun, brotli] = SBOM.packages;
  expect(apk).toMatchObject({
    externalRefs: [{ referenceLocator: "pkg:apk/csi-livenessprobe/livenessprobe@0.1.0-r0?arch=aarch64" }],
    supplier: "Organization: csi-livenessprobe",
    description: "A sidecar",
  });
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
    expect<readonly unknown[]>([supplier, originator]).not.toContainAnyValues(["", undefined]);
});

describe("the document", () => {
  test("is dated in whole seconds, in UTC", () => {
    expect(SBOM.creationInfo.created).toBe("2026-01-02T03:04:05Z");
  });

  test("is the same from the same input", () => {
    expect(spdxOf(APK, CREATED)).toEqual(SBOM);
  });

  test.each([
    ["date", spdxOf(APK, new Date(0))],
    ["architecture", spdxOf({ ...APK, purl: "pkg:apk/csi-livenessprobe/livenessprobe@0.1.0-r0?arch=x86_64" }, CREATED)],
    ["file", spdxOf({ ...APK, parts: [{ ...FILE, checksum: { algorithm: "SHA256", value: "cd" } }] }, CREATED)],
    ["content", spdxOf({ ...APK, parts: [FILE, { ...BUN, name: "other", parts: [] }] }, CREATED)],
  ])("has another namespace with another %s", (_, other) => {
    const form = /^https:\/\/spdx\.org\/spdxdocs\/livenessprobe-0\.1\.0-r0-[0-9a-f]{64}$/;
    expect([SBOM, other].filter(({ documentNamespace }) => form.test(documentNamespace))).toHaveLength(2);
    expect(other.documentNamespace).not.toBe(SBOM.documentNamespace);
  });
});

test("two things whose names become one id are refused", () => {
  const parts = [FILE, { ...FILE, name: "/usr/bin-livenessprobe", parts: [] }];
  expect(() => spdxOf({ ...APK, parts }, CREATED)).toThrow(
    "Two packages of the SBOM have the id SPDXRef-Package-file-usr-bin-livenessprobe; the second is /usr/bin-livenessprobe",
  );
});
