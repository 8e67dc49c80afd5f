import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { APK_ARCHITECTURES, type Apk, type Entry, fullVersion } from "./apk";
import { type Component, jointLicence } from "./component";
import type { DebianArchitecture } from "./lock";
import { type SpdxFile, spdxOfPackage, spdxPath } from "./spdx";

/** What an apk is made of, beside its files. */
export interface ApkContents {
  /** What the package as a whole contains, and no single file of it. */
  readonly contains?: readonly Component[];
  /** A file's path in the image -> what it is made of. */
  readonly inFiles?: Readonly<Record<string, readonly Component[]>>;
}

/** apko adds the accounts of apko.yaml to these, so a hash from here would match no file in the image. */
const REWRITTEN: ReadonlySet<string> = new Set(["/etc/passwd", "/etc/group"]);

/**
 * The apk with its own SBOM in it, which has the hash of each file and the time of the apk.
 *
 * @throws where `inFiles` names a file that the apk does not have
 */
export function withSbom(apk: Apk, architecture: DebianArchitecture, contents: ApkContents): Apk {
  const { contains = [], inFiles = {} } = contents;
  const kept = apk.entries.filter(({ path }) => !REWRITTEN.has(path));
  const files = kept.flatMap((entry) => hashedFile(entry, apk.licence, inFiles[entry.path]));
  const absent = Object.keys(inFiles).filter((path) => !files.some((file) => file.path === path));
  if (absent.length > 0) throw new Error(`The package ${apk.name} has no file ${absent.join(", ")}`);
  const { name, licence, description, time } = apk;
  const version = fullVersion(apk);
  const subject = { type: "apk", name, version, licence, description } as const;
  const sbom = spdxOfPackage({ ...subject, architecture: APK_ARCHITECTURES[architecture] }, files, contains, time);
  const entry: Entry = { kind: "text", path: spdxPath(subject), text: `${JSON.stringify(sbom, null, 2)}\n` };
  return { ...apk, entries: [...apk.entries, entry] };
}

function hashedFile(entry: Entry, ofApk: string, contains: readonly Component[] = []): readonly SpdxFile[] {
  switch (entry.kind) {
    case "file": {
      const licence = jointLicence(ofApk, contains);
      return [{ path: entry.path, sha256: sha256(readFileSync(entry.source)), licence, contains }];
    }
    case "text": {
      const licence = jointLicence(entry.licence ?? ofApk, contains);
      return [{ path: entry.path, sha256: sha256(entry.text), licence, contains }];
    }
    case "directory":
    case "link":
      return [];
  }
  return entry satisfies never;
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
