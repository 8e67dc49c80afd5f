import { expect, test } from "bun:test";
import type { Component } from "../../../scripts/image/component";
import { cyclonedxOfBinary } from "../../../scripts/image/cyclonedx";

const BINARY = {
  name: "livenessprobe-linux-x64",
  version: "0.1.0",
  description: "A sidecar",
  licence: "Apache-2.0",
  sha256: "ab".repeat(32),
};
const BUN: Component = {
  kind: "runtime",
  name: "bun",
  version: "1.4.5",
  purl: "pkg:npm/bun@1.4.5",
  licence: "MIT",
  checksum: { algorithm: "SHA512", value: "cd".repeat(64) },
  supplier: "Oven",
  parts: [
    { kind: "linked", name: "zstd", licence: "BSD-3-Clause OR GPL-2.0-only" },
    { kind: "linked", name: "boringssl", licence: "NOASSERTION" },
  ],
};
const CREATED = new Date("2026-01-02T03:04:05Z");
const SBOM = cyclonedxOfBinary(BINARY, [BUN], CREATED);

test("the executable is what it is about, with its hash", () => {
  expect(SBOM.metadata).toMatchObject({
    timestamp: "2026-01-02T03:04:05.000Z",
    component: { type: "application", name: BINARY.name, hashes: [{ alg: "SHA-256", content: BINARY.sha256 }] },
  });
});

test("each component is there, and what each depends on", () => {
  expect(SBOM.components).toMatchObject([
    { type: "platform", name: "bun", purl: "pkg:npm/bun@1.4.5", licenses: [{ license: { id: "MIT" } }] },
    { type: "library", name: "zstd", licenses: [{ expression: "BSD-3-Clause OR GPL-2.0-only" }] },
    { type: "library", name: "boringssl" },
  ]);
  expect(SBOM.components[2]).not.toHaveProperty("licenses");
  expect(SBOM.dependencies).toEqual([
    { ref: BINARY.name, dependsOn: ["runtime:bun:1.4.5"] },
    { ref: "runtime:bun:1.4.5", dependsOn: ["linked:zstd", "linked:boringssl"] },
    { ref: "linked:zstd", dependsOn: [] },
    { ref: "linked:boringssl", dependsOn: [] },
  ]);
});

test("the serial number comes of the content", () => {
  expect(SBOM.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(cyclonedxOfBinary(BINARY, [BUN], CREATED)).toEqual(SBOM);
  expect(cyclonedxOfBinary(BINARY, [], CREATED).serialNumber).not.toBe(SBOM.serialNumber);
});
