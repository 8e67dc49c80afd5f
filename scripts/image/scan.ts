import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../temporary";
import { type Values, progress, runCommand } from "../command";
import { runProgram } from "../run";
import { tool } from "../tools/tool";
import { APK_ARCHITECTURES } from "./apk";
import { BUILT_DIRECTORY, FROM_FLAG } from "./built";
import { readLock } from "./lock";
import { VARIANTS } from "./variants";

/** What a scanner must report, or it sees nothing: a libc6 of Debian 12 with a hole that is known, and mended since (DSA-5514-1). */
const PLANTED = { name: "libc6", version: "2.36-9+deb12u1", vulnerability: "CVE-2023-4911" } as const;

/** Scans the SBOM of each image for known vulnerabilities, and before them one with an old libc6 in it. */
async function scan({ from = BUILT_DIRECTORY }: Values<{ from: typeof FROM_FLAG }>): Promise<number> {
  const sboms = [...VARIANTS].flatMap(([variant, { kind }]) =>
    // With zstd layers it is the same files.
    kind === "zstd" ? [] : Object.values(APK_ARCHITECTURES).map((name) => sbomOf(from, variant, name)),
  );
  await checkSight(sboms);
  let code = 0;
  for (const { name, path } of sboms) {
    progress(`Scanning ${name}`);
    // oxlint-disable-next-line no-await-in-loop -- one machine, one database
    const verdict = judge(await grype(path));
    for (const text of tell(name, verdict)) console.log(text);
    if (verdict.kind === "outdated") code = 1;
  }
  return code;
}

interface Sbom {
  readonly name: string;
  readonly path: string;
}

function sbomOf(directory: string, variant: string, architecture: string): Sbom {
  return {
    name: `${variant} ${architecture}`,
    path: join(directory, "sbom", variant, `sbom-${architecture}.spdx.json`),
  };
}

async function checkSight([first]: readonly Sbom[]): Promise<void> {
  using directory = temporaryDirectory();
  const path = join(directory.path, "planted.spdx.json");
  progress("Trying the scanner on an SBOM with an old libc6");
  await Bun.write(path, plant(readFileSync(first?.path ?? "", "utf8")));
  const { name, version, vulnerability } = PLANTED;
  if (!findings(await grype(path)).some((finding) => finding.name === name && finding.vulnerability === vulnerability))
    throw new Error(
      `The scanner sees nothing: ${vulnerability} of ${name} ${version}, planted in our own SBOM, is not in its report`,
    );
  console.log(`planted: ${vulnerability} of ${name} ${version} is reported`);
}

interface Spdx {
  readonly packages: readonly { readonly name: string; readonly versionInfo?: string }[];
}

/**
 * Our own SBOM with the old libc6 in the place of ours, so that the rest of it is what a scanner has to see through.
 *
 * @param text SPDX as JSON
 * @throws where it has no libc6
 */
export function plant(text: string): string {
  // A document of SPDX's 2.3 schema, of which this reads what it needs.
  const sbom = JSON.parse(text) as Spdx;
  const version = sbom.packages.find(({ name }) => name === PLANTED.name)?.versionInfo;
  if (version === undefined) throw new Error(`The SBOM has no ${PLANTED.name} to put an old one in the place of`);
  const packages = sbom.packages.map((each): unknown =>
    each.name === PLANTED.name ? JSON.parse(exchangeVersion(JSON.stringify(each), version)) : each,
  );
  return JSON.stringify({ ...sbom, packages });
}

/** A purl has it encoded. */
function exchangeVersion(text: string, version: string): string {
  return text
    .replaceAll(version, PLANTED.version)
    .replaceAll(encodeURIComponent(version), encodeURIComponent(PLANTED.version));
}

/** What `grype --output json` prints, as far as this reads it. */
export interface GrypeReport {
  readonly matches: readonly {
    readonly vulnerability: {
      readonly id: string;
      readonly severity: string;
      readonly fix: { readonly versions: readonly string[]; readonly state: string };
    };
    readonly artifact: { readonly name: string; readonly version: string; readonly type: string };
  }[];
}

/** Of Debian's release, whatever os-release says in the image: a scanner that takes it for another finds nothing. */
async function grype(sbom: string): Promise<GrypeReport> {
  const distro = `debian:${readLock().debian}`;
  const args = [`sbom:${sbom}`, "--distro", distro, "--output", "json"];
  const env = { GRYPE_CHECK_FOR_APP_UPDATE: "false" };
  try {
    // Of the schema that goes with the version of grype that is locked.
    return JSON.parse(await runProgram(await tool("grype"), args, { env })) as GrypeReport;
  } catch (error) {
    throw new Error(`${sbom} cannot be scanned: ${reasonOf(error)}`, { cause: error });
  }
}

/** grype logs what it tried, and says in its last line why that was not enough. */
function reasonOf(error: unknown): string {
  const lines = Bun.stripANSI(error instanceof Error ? error.message : String(error)).split("\n");
  return lines.findLast((text) => text.includes("ERROR"))?.replace(/^.*ERROR /, "grype: ") ?? lines.join("; ");
}

export interface Finding {
  readonly vulnerability: string;
  /** As the distribution rates it: `Negligible` to `Critical`, or `Unknown`. */
  readonly severity: string;
  readonly name: string;
  readonly version: string;
  /** `deb`, `npm` and the like. */
  readonly type: string;
  /** Empty where nothing is fixed yet. */
  readonly fixedIn: string;
}

/**
 * - `clean`: nothing is known
 * - `open`: nothing that is known is for the lock to mend
 * - `outdated`: Debian has mended something that we still have
 */
export type Verdict =
  | { readonly kind: "clean" }
  | { readonly kind: "open"; readonly findings: readonly Finding[] }
  | { readonly kind: "outdated"; readonly findings: readonly Finding[]; readonly mended: readonly Finding[] };

/**
 * A package of Debian's with a fix that we do not have says that the lock was not renewed. Any other finding is for people
 * to weigh, and no reason to keep back an image that mends something else: no fix exists, or it comes with the next Bun.
 */
export function judge(report: GrypeReport): Verdict {
  const found = findings(report);
  const mended = found.filter(({ type, fixedIn }) => type === "deb" && fixedIn !== "");
  if (found.length === 0) return { kind: "clean" };
  return mended.length === 0 ? { kind: "open", findings: found } : { kind: "outdated", findings: found, mended };
}

function findings({ matches }: GrypeReport): readonly Finding[] {
  return matches.map(({ vulnerability: { id, severity, fix }, artifact }) => ({
    vulnerability: id,
    severity,
    name: artifact.name,
    version: artifact.version,
    type: artifact.type,
    fixedIn: fix.state === "fixed" ? fix.versions.join(", ") : "",
  }));
}

function tell(name: string, verdict: Verdict): readonly string[] {
  switch (verdict.kind) {
    case "clean":
      return [`${name}: nothing known`];
    case "open":
      return [
        `${name}: ${verdict.findings.length} known, none for the lock to mend`,
        ...verdict.findings.map(describe),
      ];
    case "outdated": {
      const { findings: found, mended } = verdict;
      const head = `${name}: ${found.length} known, and Debian has mended ${mended.length}: run bun run image:lock`;
      return [head, ...found.map(describe)];
    }
  }
  return verdict satisfies never;
}

function describe({ vulnerability, severity, name, version, fixedIn }: Finding): string {
  return `  ${vulnerability} (${severity}) ${name} ${version}, ${fixedIn === "" ? "not fixed" : `fixed in ${fixedIn}`}`;
}

if (import.meta.main)
  await runCommand({
    name: "bun run image:scan",
    about: `Scans the SBOM of each image for known vulnerabilities with grype, which fetches its database. Exits with 1 when
      Debian has a fix that the image does not have.`,
    flags: { from: FROM_FLAG },
    run: scan,
  });
