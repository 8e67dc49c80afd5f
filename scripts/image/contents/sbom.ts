import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { APK_ARCHITECTURES, type Apk, type Entry, fullVersion } from "../apk";
import type { DebianArchitecture } from "../inputs/lock";
import { executableContents } from "./bundled";
import { type Checksum, type Component, jointLicence } from "./component";
import { purl } from "./purl";
import { PROJECT, spdxOf } from "./spdx";

/** What an apk contains, beside its files. */
export interface ApkContents {
  /** What the package as a whole contains, not one of its files. */
  readonly contains?: readonly Component[];
  /** The path of a file in the image -> what it contains. */
  readonly inFiles?: Readonly<Record<string, readonly Component[]>>;
}

/** apko adds the accounts of apko.yaml to these, so their hashes are others in the image. */
const REWRITTEN: ReadonlySet<string> = new Set(["/etc/passwd", "/etc/group"]);

/**
 * The apk with an SBOM, which has the hash of each of its files and the time of the apk.
 *
 * @throws where `inFiles` names a file that the apk does not have
 */
export function withSbom(apk: Apk, architecture: DebianArchitecture, contents: ApkContents): Apk {
  const { contains = [], inFiles = {} } = contents;
  const kept = apk.entries.filter(({ path }) => !REWRITTEN.has(path));
  const files = kept.flatMap((entry) => fileComponents(entry, apk.licence, inFiles[entry.path]));
  const absent = Object.keys(inFiles).filter((path) => !files.some(({ name }) => name === path));
  if (absent.length > 0) throw new Error(`The package ${apk.name} has no file ${absent.join(", ")}`);
  const { name, licence, description, time } = apk;
  const version = fullVersion(apk);
  const itself = ours("apk", { type: "apk", name, version, architecture });
  const text = sbomText({ ...itself, licence, description, parts: [...files, ...contains] }, time);
  // Where apko looks for it: apko 1.2.31, pkg/sbom/generator/spdx, locateApkSBOM.
  const sbom: Entry = { kind: "text", path: `/var/lib/db/sbom/${name}-${version}.spdx.json`, text };
  return { ...apk, entries: [...apk.entries, sbom] };
}

/**
 * Writes the SBOM of an executable of a release beside it.
 *
 * @param executable its path
 * @param created the date of the SBOM, in seconds since 1970
 * @returns `EXECUTABLE.spdx.json`
 */
export async function writeReleaseSbom(
  executable: string,
  architecture: DebianArchitecture,
  created: number,
): Promise<string> {
  const { version, description, license } = packageJson;
  const parts = await executableContents(architecture);
  const itself = ours("executable", { type: "generic", name: basename(executable), version, architecture });
  const checksum = sha256(readFileSync(executable));
  const licence = jointLicence(license, parts);
  const path = `${executable}.spdx.json`;
  writeFileSync(path, sbomText({ ...itself, licence, description, checksum, parts }, new Date(created * 1_000)));
  return path;
}

interface Identity {
  readonly type: "apk" | "generic";
  readonly name: string;
  readonly version: string;
  readonly architecture: DebianArchitecture;
}

function ours(kind: "apk" | "executable", { type, name, version, architecture }: Identity) {
  const qualifiers = { arch: APK_ARCHITECTURES[architecture] };
  return {
    kind,
    name,
    version,
    purl: purl({ type, namespace: PROJECT, name, version, qualifiers }),
    supplier: PROJECT,
  };
}

function sbomText(top: Component, created: Date): string {
  return `${JSON.stringify(spdxOf(top, created), null, 2)}\n`;
}

function fileComponents(entry: Entry, ofApk: string, parts: readonly Component[] = []): readonly Component[] {
  const file = (content: string | Uint8Array, own: string): readonly Component[] => [
    { kind: "file", name: entry.path, licence: jointLicence(own, parts), checksum: sha256(content), parts },
  ];
  switch (entry.kind) {
    case "file":
      return file(readFileSync(entry.source), ofApk);
    case "text":
      return file(entry.text, entry.licence ?? ofApk);
    case "directory":
    case "link":
      return [];
  }
  return entry satisfies never;
}

function sha256(content: string | Uint8Array): Checksum {
  return { algorithm: "SHA256", value: Bun.SHA256.hash(content, "hex") };
}
