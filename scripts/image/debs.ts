import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "../run";
import { fetchFile } from "./fetch";
import { type DebianArchitecture, type Lock, type LockedDeb, type LockedFile, lockedDeb } from "./lock";

const MIRROR = "http://deb.debian.org";
/** Has all that ever was there, for when the mirror has moved on. */
const SNAPSHOT = "https://snapshot.debian.org/archive";

export interface UnpackedDeb {
  readonly deb: LockedDeb;
  readonly architecture: DebianArchitecture;
  /** Where its files are. */
  readonly root: string;
  /** Its control file: dpkg's own description of it (deb-control(5)). */
  readonly control: string;
}

/** Fetches a locked package, checks it, and unpacks it below `directory`. Nothing of it is run. */
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
 * A package's file, with the bytes that are locked.
 *
 * @param seen when the archive had it, RFC 3339
 * @returns its path
 */
export async function fetchDeb({ archive, path, sha256 }: LockedFile, seen: string): Promise<string> {
  const snapshot = seen.replaceAll(/[-:]/g, "");
  const urls = [`${MIRROR}/${archive}/${path}`, `${SNAPSHOT}/${archive}/${snapshot}/${path}`];
  return fetchFile(decodeURIComponent(basename(path)), urls, { algorithm: "sha256", value: sha256 });
}
