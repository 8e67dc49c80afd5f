import { describe, expect, test } from "bun:test";
import {
  type Assessment,
  PRODUCT,
  type Statement,
  type VexDocument,
  checkVex,
} from "../../../../scripts/image/vex/document";
import {
  type Finding,
  type GrypeReport,
  findingsOf,
  judge,
  tell,
  tellUnused,
  withDrafts,
} from "../../../../scripts/image/vex/review";

const NOW = "2026-11-26T00:00:00Z";
const LIBC6 = "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14";
const GRPC = "pkg:npm/%40grpc/grpc-js@1.14.7";
const UNFIXED: Finding = { vulnerability: "CVE-1", aliases: [], purl: LIBC6, fixedIn: [], byDebian: true };
const FIXED: Finding = { ...UNFIXED, fixedIn: ["2.36-9+deb12u15"] };
const NPM: Finding = { vulnerability: "GHSA-1", aliases: ["CVE-1"], purl: GRPC, fixedIn: ["1.14.8"], byDebian: false };

const NOT_PRESENT: Assessment = { status: "not_affected", justification: "vulnerable_code_not_present" };
const NO_IMPACT: Assessment = { status: "not_affected", impact_statement: "The file is not read." };
const AFFECTED: Assessment = { status: "affected", action_statement: "Set a limit." };
const DRAFT: Assessment = { status: "under_investigation" };

describe("a finding", () => {
  test.each([
    ["nobody has stated", UNFIXED, [], "no statement: run bun run image:scan --draft, and complete it in v.json"],
    [
      "nobody has stated, with a newer npm package",
      NPM,
      [],
      "no statement: update to 1.14.8, or run bun run image:scan --draft, and complete it in v.json",
    ],
    ["Debian has fixed", FIXED, [], "Debian has a fix, 2.36-9+deb12u15: run bun run image:lock"],
    [
      "Debian has fixed, and that affects us",
      FIXED,
      [about(LIBC6, AFFECTED)],
      "Debian has a fix, 2.36-9+deb12u15: run bun run image:lock",
    ],
    [
      "has a draft",
      UNFIXED,
      [about(LIBC6, DRAFT)],
      "v.json has a draft: give it the status not_affected, affected or fixed, and the reason",
    ],
    [
      "is stated of another version",
      UNFIXED,
      [about("pkg:deb/debian/libc6@2.36-9", NOT_PRESENT)],
      "no statement: run bun run image:scan --draft, and complete it in v.json",
    ],
    [
      "is stated of another package",
      UNFIXED,
      [about("pkg:deb/debian/libc-bin", NOT_PRESENT)],
      "no statement: run bun run image:scan --draft, and complete it in v.json",
    ],
    [
      "is another one than is stated",
      UNFIXED,
      [{ ...about(LIBC6, NOT_PRESENT), vulnerability: { name: "CVE-2" } }],
      "no statement: run bun run image:scan --draft, and complete it in v.json",
    ],
  ] as const)("that %s, fails with what to do", (_, finding, statements, line) => {
    const verdict = judge(finding, documentOf(statements));
    expect(verdict.kind).not.toBe("stated");
    expect(tell(finding, verdict, "v.json")).toBe(`${finding.vulnerability} in ${finding.purl}: ${line}`);
  });

  test.each([
    ["that does not affect us", FIXED, about(LIBC6, NOT_PRESENT), "not_affected: vulnerable_code_not_present"],
    ["in any version", UNFIXED, about("pkg:deb/debian/libc6", NO_IMPACT), "not_affected: The file is not read."],
    ["that affects us, without a fix in Debian", UNFIXED, about(LIBC6, AFFECTED), "affected: Set a limit."],
    [
      "that affects us, until the npm package is updated",
      NPM,
      { ...about(GRPC, AFFECTED), vulnerability: { name: "GHSA-1" } },
      "affected: Set a limit.",
    ],
    [
      "by another name",
      NPM,
      { ...about(GRPC, NOT_PRESENT), vulnerability: { name: "CVE-1", aliases: ["GHSA-1"] } },
      "not_affected: vulnerable_code_not_present",
    ],
    ["that we have fixed", UNFIXED, about(LIBC6, { status: "fixed" }), "fixed"],
  ] as const)("with a statement %s, passes", (_, finding, statement, line) => {
    const verdict = judge(finding, documentOf([statement]));
    expect(verdict.kind).toBe("stated");
    expect(tell(finding, verdict, "v.json")).toBe(`${finding.vulnerability} in ${finding.purl}: ${line}`);
  });
});

test("a finding of several images is told once, and grype's own name for it is no alias", () => {
  expect(findingsOf([report("amd64", "CVE-2"), report("arm64", "CVE-2"), report("amd64", "CVE-1")])).toEqual([
    UNFIXED,
    { ...UNFIXED, vulnerability: "CVE-2" },
  ]);
});

describe("a statement that nothing needs", () => {
  const inImage = [`${LIBC6}?arch=amd64&distro=debian-12`, GRPC];

  test.each([
    ["is found is not told", about("pkg:deb/debian/libc6", NOT_PRESENT), [UNFIXED], []],
    [
      "is not found any more",
      about(LIBC6, NOT_PRESENT),
      [],
      [`CVE-1 in ${LIBC6}: the scan does not find it: remove the statement`],
    ],
    [
      "is about a version that has gone",
      about("pkg:deb/debian/libc6@2.36-9", NOT_PRESENT),
      [UNFIXED],
      ["CVE-1 in pkg:deb/debian/libc6@2.36-9: no image has this package any more: remove the statement"],
    ],
  ] as const)("where it %s", (_, statement, findings, lines) => {
    expect(tellUnused(documentOf([statement]), findings, inImage)).toEqual([...lines]);
  });
});

test.each([
  ["a document", documentOf([about("pkg:deb/debian/busybox", NOT_PRESENT)]), 2],
  ["none yet", undefined, 1],
])("drafts are added to %s, which then can be attested and does not pass", (_, document, version) => {
  const drafted = withDrafts(document, [UNFIXED, NPM], NOW);
  expect(checkVex(JSON.parse(JSON.stringify(drafted)), "v.json")).toEqual(drafted);
  expect(drafted.version).toBe(version);
  expect(drafted.statements.slice(-2)).toEqual([
    about(LIBC6, DRAFT),
    { ...about(GRPC, DRAFT), vulnerability: { name: "GHSA-1", aliases: ["CVE-1"] } },
  ]);
  for (const finding of [UNFIXED, NPM]) expect(judge(finding, drafted)).toEqual({ kind: "draft" });
});

function report(arch: string, id: string): GrypeReport {
  const match = {
    vulnerability: { id, fix: { state: "not-fixed", versions: [] } },
    relatedVulnerabilities: [{ id }],
    artifact: { name: "libc6", type: "deb", purl: `${LIBC6}?arch=${arch}&distro=debian-12&upstream=glibc` },
  };
  return { matches: [match] };
}

function about(purl: string, assessment: Assessment): Statement {
  return {
    vulnerability: { name: "CVE-1" },
    products: [{ "@id": PRODUCT, subcomponents: [{ "@id": purl }] }],
    timestamp: NOW,
    ...assessment,
  };
}

function documentOf(statements: readonly Statement[]): VexDocument {
  return {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.com/vex",
    author: "https://example.com",
    timestamp: NOW,
    version: 1,
    statements,
  };
}
