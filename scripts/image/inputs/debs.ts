import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "../../run";
import type { Component } from "../contents/component";
import { purl } from "../contents/purl";
import { fetchFile } from "./fetch";
import { type DebianArchitecture, type Lock, type LockedDeb, type LockedFile, lockedDeb } from "./lock";

const MIRROR = "http://deb.debian.org";
/** Keeps every version; the mirror keeps only the current one. */
const SNAPSHOT = "https://snapshot.debian.org/archive";

export interface UnpackedDeb {
  readonly deb: LockedDeb;
  readonly architecture: DebianArchitecture;
  /** The directory with its files. */
  readonly root: string;
  /** Its control file (deb-control(5)). */
  readonly control: string;
}

/** Fetches a locked package, checks it, and unpacks it below `directory`. Runs nothing of it. */
export async function unpackDeb(
  lock: Lock,
  name: string,
  architecture: DebianArchitecture,
  directory: string,
): Promise<UnpackedDeb> {
  const deb = lockedDeb(lock, name);
  const file = await fetchDeb(deb.files[architecture], lock.seen);
  const root = join(directory, `${name}-${architecture}`);
  mkdirSync(root, { recursive: true });
  await run(["dpkg-deb", "--extract", file, root]);
  return { deb, architecture, root, control: await run(["dpkg-deb", "--field", file]) };
}

/**
 * Fetches the file of a package, and checks it against the lock.
 *
 * @param seen when the archive had it, RFC 3339
 * @returns its path
 */
export async function fetchDeb({ archive, path, sha256 }: LockedFile, seen: string): Promise<string> {
  const snapshot = seen.replaceAll(/[-:]/g, "");
  const urls = [`${MIRROR}/${archive}/${path}`, `${SNAPSHOT}/${archive}/${snapshot}/${path}`];
  return fetchFile(decodeURIComponent(basename(path)), urls, { algorithm: "sha256", value: sha256 });
}

/**
 * A Debian package, described so that scanners find its advisories. These name the source package: syft and grype read
 * it from the qualifier `upstream` of the purl, and trivy from the note.
 *
 * @param licence an SPDX expression
 */
export function debComponent({ deb, architecture, control }: UnpackedDeb, lock: Lock, licence: string): Component {
  const { name, version } = deb;
  const { archive, path, sha256 } = deb.files[architecture];
  // Debian Policy 5.6.1: `Source: NAME` or `Source: NAME (VERSION)` if they differ from those of the package.
  const [, source = name, sourceVersion = version] = /^Source: (\S+)(?: \((\S+)\))?$/m.exec(control) ?? [];
  const upstream = sourceVersion === version ? source : `${source}@${sourceVersion}`;
  const qualifiers = {
    arch: architecture,
    distro: `debian-${lock.debian}`,
    ...(upstream === name ? {} : { upstream }),
  };
  return {
    kind: "deb",
    name,
    version,
    purl: purl({ type: "deb", namespace: "debian", name, version, qualifiers }),
    licence,
    downloadLocation: `https://deb.debian.org/${archive}/${path}`,
    checksum: { algorithm: "SHA256", value: sha256 },
    supplier: "Debian",
    note: `built package from: ${source} ${sourceVersion}`,
  };
}
