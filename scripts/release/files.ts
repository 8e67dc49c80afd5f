import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { DebianArchitecture } from "../image/inputs/lock";

/** Where a release's files are. */
export const RELEASE_DIRECTORY = join(import.meta.dirname, "../../dist/release");

/** The executables' names. */
export const RELEASE_NAMES: Readonly<Record<DebianArchitecture, string>> = {
  amd64: "livenessprobe-linux-x64",
  arm64: "livenessprobe-linux-arm64",
};

/** In the form of coreutils' `sha256sum`. */
export const CHECKSUMS = "SHA256SUMS";

/** The signature of a file is beside it, under its name with this behind it. */
export const BUNDLE = ".sigstore.json";

/**
 * The files of a release, without their signatures, each held against the checksums.
 *
 * @returns their names, the checksums' last
 * @throws where one is missing, is another, or has no checksum
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
  if (actual !== expected) throw new Error(`${path} has the checksum ${actual}, and not ${expected}: it was changed`);
}
