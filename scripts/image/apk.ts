import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { temporaryDirectory } from "../temporary";
import { runProgram } from "../run";
import { tool } from "../tools/tool";
import type { DebianArchitecture } from "./inputs/lock";

/** In apk's spelling. */
export type ApkArchitecture = "x86_64" | "aarch64";

export const APK_ARCHITECTURES: Readonly<Record<DebianArchitecture, ApkArchitecture>> = {
  amd64: "x86_64",
  arm64: "aarch64",
};

/** A file, directory or link of a package; all belong to root. */
export type Entry =
  | { readonly kind: "file"; readonly path: string; readonly source: string; readonly mode?: number }
  /** `licence` is an SPDX expression, if the file has another licence than the package. */
  | { readonly kind: "text"; readonly path: string; readonly text: string; readonly licence?: string }
  | { readonly kind: "directory"; readonly path: string; readonly mode?: number }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

export interface Apk {
  readonly name: string;
  /** In apk's form, without the release. */
  readonly version: string;
  readonly description: string;
  /** An SPDX expression. */
  readonly licence: string;
  /** The time of its files. */
  readonly time: Date;
  readonly entries: readonly Entry[];
}

/** The same for every package. */
const RELEASE = "0";

export function fullVersion({ version }: Apk): string {
  return `${version}-r${RELEASE}`;
}

/**
 * Makes `DIRECTORY/ARCHITECTURE/NAME-VERSION.apk`: the same bytes from the same entries.
 *
 * @param directory of the apk repository, for all architectures
 * @returns the file's path
 */
export async function writeApk(apk: Apk, architecture: DebianArchitecture, directory: string): Promise<string> {
  const folder = join(directory, APK_ARCHITECTURES[architecture]);
  mkdirSync(folder, { recursive: true });
  using staging = temporaryDirectory();
  const scratch = staging.path;
  const recipe = join(scratch, "nfpm.yaml");
  // JSON is also YAML.
  writeFileSync(recipe, JSON.stringify(nfpmRecipe(apk, architecture, scratch)));
  const target = join(folder, `${apk.name}-${fullVersion(apk)}.apk`);
  await runProgram(await tool("nfpm"), ["package", "--packager", "apk", "--config", recipe, "--target", target]);
  return target;
}

function nfpmRecipe(apk: Apk, architecture: DebianArchitecture, scratch: string): object {
  const mtime = apk.time.toISOString();
  const contents = apk.entries.map((entry, index) => {
    const info = { mtime, owner: "root", group: "root" };
    switch (entry.kind) {
      case "file":
        return { src: entry.source, dst: entry.path, file_info: { ...info, mode: entry.mode ?? 0o644 } };
      case "text": {
        const source = join(scratch, `text-${index}`);
        writeFileSync(source, entry.text);
        return { src: source, dst: entry.path, file_info: { ...info, mode: 0o644 } };
      }
      case "directory":
        return { dst: entry.path, type: "dir", file_info: { ...info, mode: entry.mode ?? 0o755 } };
      case "link":
        return { src: entry.target, dst: entry.path, type: "symlink", file_info: { ...info, mode: 0o777 } };
    }
    return entry satisfies never;
  });
  const { name, version, description, licence: license } = apk;
  const about = { name, version, release: RELEASE, version_schema: "none", description, license, mtime };
  // apko makes a layer for each origin, so each package is its own. nfpm has no field for it, and does not escape this
  // one.
  const maintainer = `csi-livenessprobe\norigin = ${name}`;
  return { ...about, arch: architecture, platform: "linux", maintainer, contents };
}

/**
 * Writes `APKINDEX.tar.gz` beside the packages of one architecture, which apko needs to find them. It is not signed,
 * because it never leaves this machine; it has the hash of each package.
 */
export async function writeIndex(folder: string): Promise<void> {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".apk"))
    .toSorted();
  const entries = await Promise.all(names.map(async (name) => indexEntry(readFileSync(join(folder, name)))));
  const archive = new Bun.Archive({ APKINDEX: entries.join("") }, { compress: "gzip" });
  await Bun.write(join(folder, "APKINDEX.tar.gz"), await archive.bytes());
}

/** Letter in the index <- key in .PKGINFO (apk-tools, "APK package format"). */
const INDEX_FIELDS = [
  ["P", "pkgname"],
  ["V", "pkgver"],
  ["A", "arch"],
  ["I", "size"],
  ["T", "pkgdesc"],
  ["L", "license"],
  ["o", "origin"],
  ["t", "builddate"],
] as const;

async function indexEntry(apk: Buffer): Promise<string> {
  const control = controlOf(apk);
  const info = (await new Bun.Archive(control).files()).get(".PKGINFO");
  const lines = (await info?.text()) ?? "";
  const values = new Map([...lines.matchAll(/^(\w+) = (.*)$/gm)].map(([, key = "", value = ""]) => [key, value]));
  const fields = INDEX_FIELDS.flatMap(([letter, key]) => {
    const value = values.get(key);
    return value === undefined ? [] : [`${letter}:${value}`];
  });
  const hash = createHash("sha1").update(control).digest("base64");
  return [`C:Q1${hash}`, ...fields, `S:${apk.length}`, "", ""].join("\n");
}

const GZIP_HEADER_BYTES = 10;
const GZIP_TRAILER_BYTES = 8;

/** An apk is two gzip members: a tar of .PKGINFO, whose hash is in the index, and a tar of the files. */
function controlOf(apk: Buffer): Buffer {
  // `info` changes the result (Node.js, zlib options); the types do not know that.
  const inflated: unknown = inflateRawSync(apk.subarray(GZIP_HEADER_BYTES), { info: true });
  const { engine } = inflated as { readonly engine: { readonly bytesWritten: number } };
  return apk.subarray(0, GZIP_HEADER_BYTES + engine.bytesWritten + GZIP_TRAILER_BYTES);
}
