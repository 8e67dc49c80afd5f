import { mkdirSync } from "node:fs";
import { join } from "node:path";
import bunLock from "../../../bun.lock";
import packageJson from "../../../package.json" with { type: "json" };
import { cached } from "../../cache";
import { run } from "../../run";
import type { Checksum } from "../contents/component";
import { fetchFile } from "./fetch";
import type { DebianArchitecture } from "./lock";

/** A package as `bun.lock` pins it. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Of its archive. */
  readonly checksum: Checksum;
}

/** The npm packages that hold Bun for each architecture. */
export const BUN_PACKAGES: Readonly<Record<DebianArchitecture, string>> = {
  amd64: "@oven/bun-linux-x64",
  arm64: "@oven/bun-linux-aarch64",
};

/** @throws where bun.lock has no such npm package */
export function lockedPackage(name: string): LockedPackage {
  const { resolution, integrity } = lockEntry(name);
  return { name, version: resolution.slice(name.length + 1), checksum: integrityChecksum(integrity) };
}

/**
 * What a build installs, sorted by name: the packages that package.json names, all that they need, and the Bun of each
 * architecture.
 */
export function installedPackages(): readonly LockedPackage[] {
  const { dependencies, devDependencies } = packageJson;
  const names = new Set([...Object.keys({ ...dependencies, ...devDependencies }), ...Object.values(BUN_PACKAGES)]);
  // The loop also sees names that are added during it.
  for (const name of names) for (const needed of Object.keys(lockEntry(name).needs)) names.add(needed);
  return [...names].toSorted().map(lockedPackage);
}

function lockEntry(name: string) {
  // npm -> [NAME@VERSION, registry, what it needs, integrity] (bun-types, BunLockFilePackageArray)
  const entry = bunLock.packages[name];
  if (entry?.length !== 4) throw new Error(`bun.lock has no npm package ${name}: run bun install`);
  return { resolution: entry[0], needs: entry[2].dependencies ?? {}, integrity: entry[3] };
}

/** @throws where the integrity does not have npm's form `sha512-BASE64` */
export function integrityChecksum(integrity: string): Checksum {
  const base64 = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity)?.[1];
  if (base64 === undefined) throw new Error(`An integrity must be sha512-BASE64, got ${integrity}`);
  return { algorithm: "SHA512", value: Buffer.from(base64, "base64").toString("hex") };
}

/** The URL of the archive of a package. */
export function npmArchive(name: string, version: string, registry = "https://registry.npmjs.org"): string {
  return `${registry}/${name}/-/${name.replace(/^@.*\//, "")}-${version}.tgz`;
}

/**
 * Fetches the Bun for executables of this architecture, and checks it against `bun.lock`.
 *
 * @returns its path
 */
export async function bunRuntime(architecture: DebianArchitecture): Promise<string> {
  const { name, version, checksum } = lockedPackage(BUN_PACKAGES[architecture]);
  const url = npmArchive(name, version, process.env["NPM_CONFIG_REGISTRY"] || undefined);
  const archive = await fetchFile(url.replace(/^.*\//, ""), [url], { algorithm: "sha512", value: checksum.value });
  const folder = await cached([checksum.value, "unpacked"], "bun", async (path) => {
    mkdirSync(path);
    await run(["tar", "--extract", "--file", archive, "--directory", path, "package/bin/bun"]);
  });
  return join(folder, "package/bin/bun");
}
