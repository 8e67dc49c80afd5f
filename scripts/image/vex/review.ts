import { purlMatches } from "../contents/purl";
import { OPENVEX, PRODUCT, type Statement, type VexDocument } from "./document";

const REPOSITORY = "https://github.com/csi-livenessprobe/csi-livenessprobe";

/** What `grype --output json` prints, in part. */
export interface GrypeReport {
  readonly matches: readonly {
    readonly vulnerability: {
      readonly id: string;
      readonly fix: { readonly state: string; readonly versions: readonly string[] };
    };
    readonly relatedVulnerabilities: readonly { readonly id: string }[];
    readonly artifact: { readonly type: string; readonly name: string; readonly purl: string };
  }[];
}

/** A known vulnerability of a package of the image. */
export interface Finding {
  readonly vulnerability: string;
  /** Its other names. */
  readonly aliases: readonly string[];
  /** The package, without qualifiers, so that it is the same for each architecture. */
  readonly purl: string;
  /** The versions that have a fix. */
  readonly fixedIn: readonly string[];
  readonly byDebian: boolean;
}

/** Each finding of the reports once. */
export function findingsOf(reports: readonly GrypeReport[]): readonly Finding[] {
  const found = reports.flatMap(({ matches }) =>
    matches.map(({ vulnerability: { id, fix }, relatedVulnerabilities, artifact }): Finding => {
      const aliases = [...new Set(relatedVulnerabilities.map((related) => related.id))].filter((name) => name !== id);
      const purl = artifact.purl.replace(/\?.*/, "") || `pkg:generic/${encodeURIComponent(artifact.name)}`;
      const fixedIn = fix.state === "fixed" ? fix.versions : [];
      return { vulnerability: id, aliases, purl, fixedIn, byDebian: artifact.type === "deb" };
    }),
  );
  return [...new Map(found.map((finding) => [nameOf(finding), finding])).values()].toSorted((one, other) =>
    nameOf(one) < nameOf(other) ? -1 : 1,
  );
}

export function nameOf({ vulnerability, purl }: Finding): string {
  return `${vulnerability} in ${purl}`;
}

/** What the scan says about a finding, and whether it passes. */
export type Verdict =
  | { readonly kind: "stated"; readonly statement: Statement }
  /** A newer lock has the fix. */
  | { readonly kind: "fixed by Debian"; readonly versions: readonly string[] }
  | { readonly kind: "draft" }
  | { readonly kind: "not stated" };

/** `affected` passes until there is a fix: it must not delay an image that fixes something else. */
export function judge(finding: Finding, document: VexDocument | undefined): Verdict {
  const statement = document?.statements.find((each) => isAbout(each, finding));
  const fixed = finding.byDebian && finding.fixedIn.length > 0;
  switch (statement?.status) {
    case "not_affected":
    case "fixed":
      return { kind: "stated", statement };
    case "affected":
      return fixed ? { kind: "fixed by Debian", versions: finding.fixedIn } : { kind: "stated", statement };
    case "under_investigation":
      return { kind: "draft" };
    case undefined:
      return fixed ? { kind: "fixed by Debian", versions: finding.fixedIn } : { kind: "not stated" };
  }
}

/** @returns a line that says what to do, where there is something to do */
export function tell(finding: Finding, verdict: Verdict, file: string): string {
  const name = nameOf(finding);
  switch (verdict.kind) {
    case "stated":
      return `${name}: ${reasonOf(verdict.statement)}`;
    case "fixed by Debian":
      return `${name}: Debian has a fix, ${verdict.versions.join(" and ")}: run bun run image:lock`;
    case "draft":
      return `${name}: ${file} has a draft: give it the status not_affected, affected or fixed, and the reason`;
    case "not stated": {
      const update = finding.fixedIn.length === 0 ? "" : `update to ${finding.fixedIn.join(" or ")}, or `;
      return `${name}: no statement: ${update}run bun run image:scan --draft, and complete it in ${file}`;
    }
  }
}

function reasonOf(statement: Statement): string {
  switch (statement.status) {
    case "not_affected":
      return `not_affected: ${statement.justification ?? statement.impact_statement}`;
    case "affected":
      return `affected: ${statement.action_statement}`;
    case "fixed":
    case "under_investigation":
      return statement.status;
  }
}

function isAbout({ vulnerability, products }: Statement, finding: Finding): boolean {
  const names = [vulnerability.name, ...(vulnerability.aliases ?? [])];
  // As scanners do, which know no other name of what they found.
  return (
    names.includes(finding.vulnerability) &&
    products[0].subcomponents.some((each) => purlMatches(each["@id"], finding.purl))
  );
}

/**
 * What is stated and not found, each in a line.
 *
 * @param purls the packages of the images
 */
export function tellUnused(
  document: VexDocument | undefined,
  findings: readonly Finding[],
  purls: readonly string[],
): readonly string[] {
  return (document?.statements ?? []).flatMap((statement) =>
    statement.products[0].subcomponents.flatMap((component) => {
      const id = component["@id"];
      const alone: Statement = { ...statement, products: [{ "@id": PRODUCT, subcomponents: [component] }] };
      if (findings.some((finding) => isAbout(alone, finding))) return [];
      const there = purls.some((purl) => purlMatches(id, purl));
      const why = there ? "the scan does not find it" : "no image has this package any more";
      return [`${statement.vulnerability.name} in ${id}: ${why}: remove the statement`];
    }),
  );
}

/**
 * Adds a draft for each finding. A draft does not pass the scan: a person completes it.
 *
 * @param now in RFC 3339
 */
export function withDrafts(document: VexDocument | undefined, findings: readonly Finding[], now: string): VexDocument {
  const drafts = findings.map(({ vulnerability, aliases, purl }): Statement => ({
    vulnerability: { name: vulnerability, ...(aliases.length === 0 ? {} : { aliases }) },
    products: [{ "@id": PRODUCT, subcomponents: [{ "@id": purl }] }],
    status: "under_investigation",
    timestamp: now,
  }));
  const id = `${REPOSITORY}/blob/main/deploy/vex/csi-livenessprobe.openvex.json`;
  if (document === undefined)
    return { "@context": OPENVEX, "@id": id, author: REPOSITORY, timestamp: now, version: 1, statements: drafts };
  const { version, statements } = document;
  return { ...document, last_updated: now, version: version + 1, statements: [...statements, ...drafts] };
}
