import lock from "../../bun.lock";
import type { Checksum } from "./component";

/**
 * The checksum that `bun.lock` has of a package's archive.
 *
 * @throws where it has no such package at this version
 */
export function lockedChecksum(name: string, version: string): Checksum {
  const locked = Object.values(lock.packages).find(([resolution]) => resolution === `${name}@${version}`);
  // npm -> [NAME@VERSION, registry, what it needs, integrity] (bun-types, BunLockFilePackageArray)
  const integrity = locked?.[3];
  if (integrity === undefined) throw new Error(`bun.lock has no integrity of ${name}@${version}: run bun install`);
  return integrityChecksum(integrity);
}

/** @throws where the integrity is not of the form `sha512-BASE64` that npm gives */
export function integrityChecksum(integrity: string): Checksum {
  const base64 = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity)?.[1];
  if (base64 === undefined) throw new Error(`An integrity must be sha512-BASE64, got ${integrity}`);
  return { algorithm: "SHA512", value: Buffer.from(base64, "base64").toString("hex") };
}

/** Where npm has the archive of a package. */
export function npmArchive(name: string, version: string): string {
  return `https://registry.npmjs.org/${name}/-/${name.replace(/^@.*\//, "")}-${version}.tgz`;
}
