import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** As Debian names them. */
export type DebianArchitecture = "amd64" | "arm64";

export const ARCHITECTURES: readonly DebianArchitecture[] = ["amd64", "arm64"];

/** A package of Debian's, at one version. */
export interface LockedDeb {
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<DebianArchitecture, LockedFile>>;
}

export interface LockedFile {
  /** `debian` or `debian-security`. */
  readonly archive: string;
  /** Within the archive: `pool/main/...`. */
  readonly path: string;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface Lock {
  /** Debian's release, as in `VERSION_ID` of its os-release. */
  readonly debian: string;
  /** When the newest of these packages was built (RFC 3339): the time that their files bear in the image. */
  readonly time: string;
  /** When these versions were Debian's newest (RFC 3339): where snapshot.debian.org has them. */
  readonly seen: string;
  readonly debs: readonly LockedDeb[];
}

/** Where it is in the repository. */
export const LOCK_PATH = join(import.meta.dirname, "../../../deploy/image/lock.json");

/** What goes into the image from outside, but for npm packages: `bun.lock` has those. */
export function readLock(): Lock {
  // Ours alone, and written by `writeLock`.
  return JSON.parse(readFileSync(LOCK_PATH, "utf8")) as Lock;
}

export function writeLock(lock: Lock): void {
  writeFileSync(LOCK_PATH, `${JSON.stringify(lock, null, 2)}\n`);
}

/** @throws where the lock has no such package */
export function lockedDeb(lock: Lock, name: string): LockedDeb {
  const deb = lock.debs.find((locked) => locked.name === name);
  if (deb === undefined) throw new Error(`deploy/image/lock.json has no ${name}: run bun run image:lock`);
  return deb;
}
