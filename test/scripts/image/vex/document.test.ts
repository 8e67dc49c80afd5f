import { expect, test } from "bun:test";
import { VEX_PATH, checkVex, readVex } from "../../../../scripts/image/vex/document";

const SUBCOMPONENTS = [{ "@id": "pkg:deb/debian/libc6" }];
const PRODUCTS = [{ "@id": "pkg:oci/csi-livenessprobe", subcomponents: SUBCOMPONENTS }];
const TIMESTAMP = "2026-11-26T00:00:00Z";
const ABOUT = { vulnerability: { name: "CVE-1" }, products: PRODUCTS, timestamp: TIMESTAMP };
const NOT_AFFECTED = { ...ABOUT, status: "not_affected", justification: "vulnerable_code_not_present" };

test("our own statements can be attested", () => {
  expect(readVex(VEX_PATH)?.statements.length).toBeGreaterThan(0);
});

test.each([
  ["not_affected, with a justification", NOT_AFFECTED],
  ["not_affected, with an impact statement", { ...ABOUT, status: "not_affected", impact_statement: "None." }],
  ["affected, with what to do", { ...ABOUT, status: "affected", action_statement: "Set a limit." }],
  ["fixed", { ...ABOUT, status: "fixed" }],
  ["under_investigation, which is a draft", { ...ABOUT, status: "under_investigation" }],
  [
    "one with notes and an alias",
    { ...NOT_AFFECTED, vulnerability: { name: "CVE-1", aliases: ["GHSA-1"] }, status_notes: "See." },
  ],
])("%s, is taken", (_, statement) => {
  expect<unknown>(checkVex(documentOf(statement), "f.json")).toEqual(documentOf(statement));
});

test.each([
  [
    "not_affected without a reason",
    { ...ABOUT, status: "not_affected" },
    "f.json: statement 1 (CVE-1): not_affected needs either a justification or an impact_statement",
  ],
  [
    "not_affected with both reasons",
    { ...NOT_AFFECTED, impact_statement: "None." },
    "f.json: statement 1 (CVE-1): not_affected needs either a justification or an impact_statement",
  ],
  [
    "a justification that there is not",
    { ...NOT_AFFECTED, justification: "unused" },
    "f.json: statement 1 (CVE-1): justification must be one of component_not_present, ",
  ],
  [
    "an empty reason",
    { ...ABOUT, status: "not_affected", impact_statement: "" },
    "f.json: statement 1 (CVE-1): impact_statement must NOT have fewer than 1 characters",
  ],
  [
    "affected without what to do",
    { ...ABOUT, status: "affected" },
    "f.json: statement 1 (CVE-1): must have required property 'action_statement'",
  ],
  [
    "a reason in a draft",
    { ...NOT_AFFECTED, status: "under_investigation" },
    "f.json: statement 1 (CVE-1): there is no field justification with this status",
  ],
  [
    "a misspelt field",
    { ...NOT_AFFECTED, status_note: "See." },
    "f.json: statement 1 (CVE-1): there is no field status_note with this status",
  ],
  [
    "a status that there is not",
    { ...ABOUT, status: "ignored" },
    "f.json: statement 1 (CVE-1): status must be not_affected, affected, fixed or under_investigation",
  ],
  [
    "another product",
    { ...NOT_AFFECTED, products: [{ ...PRODUCTS[0], "@id": "pkg:oci/livenessprobe" }] },
    "f.json: statement 1 (CVE-1): products/0/@id must be pkg:oci/csi-livenessprobe",
  ],
  [
    "a product as a whole",
    { ...NOT_AFFECTED, products: [{ "@id": "pkg:oci/csi-livenessprobe" }] },
    "f.json: statement 1 (CVE-1): products/0 must have required property 'subcomponents'",
  ],
  [
    "a package with qualifiers, which one architecture alone may have",
    { ...NOT_AFFECTED, products: [{ ...PRODUCTS[0], subcomponents: [{ "@id": "pkg:deb/debian/libc6?arch=amd64" }] }] },
    'f.json: statement 1 (CVE-1): products/0/subcomponents/0/@id must match pattern "^pkg:',
  ],
] as const)("%s, is refused", (_, statement, fault) => {
  expect(() => checkVex(documentOf(statement), "f.json")).toThrow(fault);
});

test.each([
  ["that is no object", [], "f.json: must be object"],
  [
    "without statements, which OpenVEX does not know",
    { ...documentOf(NOT_AFFECTED), statements: [] },
    "f.json: statements must NOT have fewer than 1 items",
  ],
  [
    "of another version of OpenVEX",
    { ...documentOf(NOT_AFFECTED), "@context": "https://openvex.dev/ns" },
    "f.json: @context must be https://openvex.dev/ns/v0.2.0",
  ],
  [
    "with two statements about one thing",
    { ...documentOf(NOT_AFFECTED), statements: [NOT_AFFECTED, { ...ABOUT, status: "fixed" }] },
    "f.json: there are two statements about CVE-1 in pkg:deb/debian/libc6: keep one",
  ],
])("a document %s, is refused", (_, document, fault) => {
  expect(() => checkVex(document, "f.json")).toThrow(fault);
});

function documentOf(statement: object) {
  return {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.com/vex",
    author: "https://example.com",
    timestamp: TIMESTAMP,
    version: 1,
    statements: [statement],
  };
}
