import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { DebianArchitecture } from "../image/inputs/lock";

/** The directory of the files of a release. */
export const RELEASE_DIRECTORY = join(import.meta.dirname, "../../dist/release");

/** The executables' names. */
export const RELEASE_NAMES: Readonly<Record<DebianArchitecture, string>> = {
  amd64: "livenessprobe-linux-x64",
  arm64: "livenessprobe-linux-arm64",
};

/** For `sha256sum --check`. */
export const CHECKSUMS = "SHA256SUMS";

/** The suffix of the signature of a file. */
export const BUNDLE = ".sigstore.json";

/**
 * The files of a release, without their signatures. Checks them against the checksums.
 *
 * @returns their names; the file of checksums is the last
 * @throws where one is missing, was changed, or has no checksum
 */
export function readRelease(directory: string): readonly string[] {
  const list = join(directory, CHECKSUMS);
  if (!existsSync(list)) throw new Error(`There is no ${list}: make the release's files with bun run release`);
  const sums = new Map(
    [...readFileSync(list, "utf8").matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)].map(([, sum = "", name = ""]) => [
      name,
      sum,
    ]),
  );
  const there = readdirSync(directory).filter((name) => name !== CHECKSUMS && !name.endsWith(BUNDLE));
  const stray = there.find((name) => !sums.has(name));
  if (stray !== undefined) throw new Error(`${stray} has no checksum in ${list}: run bun run release again`);
  for (const [name, sum] of sums) checkSum(join(directory, name), sum);
  return [...sums.keys(), CHECKSUMS];
}

function checkSum(path: string, expected: string): void {
  if (!existsSync(path)) throw new Error(`There is no ${path}: run bun run release again`);
  const actual = Bun.SHA256.hash(readFileSync(path), "hex");
  if (actual !== expected) throw new Error(`${path} has the checksum ${actual}, not ${expected}: it was changed`);
}
