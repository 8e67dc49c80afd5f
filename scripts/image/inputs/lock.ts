import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** In Debian's spelling, which is also Go's. */
export type DebianArchitecture = "amd64" | "arm64";

export const ARCHITECTURES: readonly DebianArchitecture[] = ["amd64", "arm64"];

/** A Debian package at one version. */
export interface LockedDeb {
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<DebianArchitecture, LockedFile>>;
}

export interface LockedFile {
  /** `debian` or `debian-security`. */
  readonly archive: string;
  /** In the archive: `pool/main/...`. */
  readonly path: string;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface Lock {
  /** Debian's release, as in `VERSION_ID` of its os-release. */
  readonly debian: string;
  /** When the newest of these packages was built (RFC 3339): the time of their files in the image. */
  readonly time: string;
  /** When these were Debian's current versions (RFC 3339): snapshot.debian.org has them at this time. */
  readonly seen: string;
  readonly debs: readonly LockedDeb[];
}

/** The path of the lock. */
export const LOCK_PATH = join(import.meta.dirname, "../../../deploy/image/lock.json");

/** Everything from outside in the image, except npm packages, which `bun.lock` has. */
export function readLock(): Lock {
  // Written by `writeLock`.
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
