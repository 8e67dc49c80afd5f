import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { temporaryDirectory } from "../temporary";
import { type Values, progress, runCommand } from "../command";
import { runProgram } from "../run";
import { tool } from "../tools/tool";
import { readLock } from "./inputs/lock";
import { BUILT_DIRECTORY, FROM_FLAG, openBuilt } from "./oci/built";
import { VARIANTS } from "./variants";
import { VEX_PATH, readVex } from "./vex/document";
import { type GrypeReport, findingsOf, judge, tell, tellUnused, withDrafts } from "./vex/review";

/** A libc6 of Debian 12 with a known vulnerability (DSA-5514-1): a scanner that does not report it does not work. */
const PLANTED = { name: "libc6", version: "2.36-9+deb12u1", vulnerability: "CVE-2023-4911" } as const;

const FLAGS = {
  from: FROM_FLAG,
  vex: { value: "FILE", help: "The statements. Default: deploy/vex/csi-livenessprobe.openvex.json" },
  draft: { help: "Add a draft of a statement for each finding without one." },
} as const;

/** Scans the SBOM of each image for known vulnerabilities, and before that one with an old libc6. */
async function scan({ from = BUILT_DIRECTORY, vex = VEX_PATH, draft }: Values<typeof FLAGS>): Promise<number> {
  const stated = readVex(vex);
  const sboms = [...VARIANTS].flatMap(([variant, { kind }]) =>
    // These have the same files.
    kind === "zstd"
      ? []
      : openBuilt(from, variant).images.map(({ name, sbom }) => [`${variant} ${name}`, sbom] as const),
  );
  await checkScanner(sboms[0]?.[1] ?? "");
  const reports: GrypeReport[] = [];
  for (const [name, path] of sboms) {
    progress(`Scanning ${name}`);
    // oxlint-disable-next-line no-await-in-loop -- one machine, one database
    const { report, table } = await grype(path);
    console.log(`${name}:\n${table}`);
    reports.push(report);
  }
  const findings = findingsOf(reports);
  const missing = findings.filter((finding) => judge(finding, stated).kind === "not stated");
  const document = draft && missing.length > 0 ? withDrafts(stated, missing, new Date().toISOString()) : stated;
  if (document !== stated) await Bun.write(vex, `${JSON.stringify(document, null, 2)}\n`);
  const file = relative(process.cwd(), vex);
  const verdicts = findings.map((finding) => [finding, judge(finding, document)] as const);
  for (const [finding, verdict] of verdicts) console.log(tell(finding, verdict, file));
  const purls = sboms.flatMap(([, path]) => purlsOf(readFileSync(path, "utf8")));
  for (const line of tellUnused(document, findings, purls)) console.log(`warning: ${file}: ${line}`);
  return verdicts.every(([, { kind }]) => kind === "stated") ? 0 : 1;
}

async function checkScanner(sbom: string): Promise<void> {
  using directory = temporaryDirectory();
  const path = join(directory.path, "planted.spdx.json");
  progress("Trying the scanner on an SBOM with an old libc6");
  await Bun.write(path, plant(readFileSync(sbom, "utf8")));
  const { name, version, vulnerability } = PLANTED;
  const { report } = await grype(path);
  if (!report.matches.some((match) => match.artifact.name === name && match.vulnerability.id === vulnerability))
    throw new Error(
      `The scanner does not work: it does not report ${vulnerability} of ${name} ${version}, planted in our own SBOM`,
    );
  console.log(`planted: ${vulnerability} of ${name} ${version} is reported`);
}

/** A document of SPDX 2.3, in part. */
interface Spdx {
  readonly packages: readonly {
    readonly name: string;
    readonly versionInfo?: string;
    readonly externalRefs?: readonly { readonly referenceLocator: string }[];
  }[];
}

function purlsOf(sbom: string): readonly string[] {
  const { packages } = JSON.parse(sbom) as Spdx;
  return packages.flatMap(({ externalRefs = [] }) => externalRefs.map(({ referenceLocator }) => referenceLocator));
}

/**
 * Our own SBOM with an old libc6 instead of ours. The rest stays, since the scanner must read it too.
 *
 * @param text SPDX as JSON
 * @throws where it has no libc6
 */
export function plant(text: string): string {
  const sbom = JSON.parse(text) as Spdx;
  const version = sbom.packages.find(({ name }) => name === PLANTED.name)?.versionInfo;
  if (version === undefined) throw new Error(`The SBOM has no ${PLANTED.name}, so no old one can take its place`);
  const packages = sbom.packages.map((each): unknown =>
    each.name === PLANTED.name ? JSON.parse(exchangeVersion(JSON.stringify(each), version)) : each,
  );
  return JSON.stringify({ ...sbom, packages });
}

/** In a purl, the version is encoded. */
function exchangeVersion(text: string, version: string): string {
  return text
    .replaceAll(version, PLANTED.version)
    .replaceAll(encodeURIComponent(version), encodeURIComponent(PLANTED.version));
}

/** `--distro` names Debian's release: with another one, grype would find nothing. */
async function grype(sbom: string): Promise<{ readonly report: GrypeReport; readonly table: string }> {
  using directory = temporaryDirectory();
  const json = join(directory.path, "report.json");
  const outputs = ["--output", "table", "--output", `json=${json}`];
  const args = [`sbom:${sbom}`, "--distro", `debian:${readLock().debian}`, ...outputs];
  try {
    const table = await runProgram(await tool("grype"), args, { env: { GRYPE_CHECK_FOR_APP_UPDATE: "false" } });
    // The version of grype is locked, and with it this schema.
    const report = JSON.parse(readFileSync(json, "utf8")) as GrypeReport;
    return { report, table };
  } catch (error) {
    throw new Error(`${sbom} cannot be scanned: ${reasonOf(error)}`, { cause: error });
  }
}

/** The last line that grype logs as an error is the reason, and why it has no database is a warning before it. */
function reasonOf(error: unknown): string {
  const lines = Bun.stripANSI(error instanceof Error ? error.message : String(error)).split("\n");
  const reason = lines.findLast((text) => text.includes("ERROR"))?.replace(/^.*ERROR /, "grype: ") ?? lines.join("; ");
  const [, unfetched] = /WARN error updating db error=(.*)/.exec(lines.join("\n")) ?? [];
  return unfetched === undefined ? reason : `${reason}; it cannot be fetched: ${unfetched}`;
}

if (import.meta.main)
  await runCommand({
    name: "bun run image:scan",
    about: `Scans the SBOM of each image for known vulnerabilities with grype, which fetches its database. Exits with
      1 when Debian has a fix that the image does not have, or when a finding has no statement in deploy/vex.`,
    flags: FLAGS,
    run: scan,
  });
