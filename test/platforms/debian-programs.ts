import { cached } from "../../scripts/cache";
import { fetchDeb } from "../../scripts/image/inputs/debs";
import { run } from "../../scripts/run";

/** When Debian's archive had these versions: snapshot.debian.org has them at this time. */
const SEEN = "2026-11-25T00:00:00Z";

/** A package of Debian 12 for amd64. */
export interface Package {
  readonly name: string;
  /** In the archive. */
  readonly path: string;
  readonly sha256: string;
}

/**
 * Programs out of a package, in the cache.
 *
 * @param programs as the package names them: `./usr/bin/NAME`
 * @param tests which tests need them
 * @returns the directory that they are below; undefined, with a line that says why, where they cannot be had
 * @throws with CI=true, where they cannot be had
 */
export async function findPrograms(
  deb: Package,
  programs: readonly string[],
  tests: string,
): Promise<string | undefined> {
  try {
    return await unpack(deb, programs);
  } catch (error) {
    const line = `The tests of ${tests} are skipped: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env["CI"] === "true") throw new Error(`${line} With CI=true none may be.`, { cause: error });
    console.warn(line);
    return undefined;
  }
}

async function unpack({ name, path, sha256 }: Package, programs: readonly string[]): Promise<string> {
  if (process.arch !== "x64") throw new Error(`${name} is pinned for amd64 alone, and this is ${process.arch}.`);
  return cached([sha256, ...programs], name, async (directory) => {
    const deb = await fetchDeb({ archive: "debian", path, sha256 }, SEEN);
    // Not the whole package: QEMU's other programs take 350 MB.
    const extract =
      'mkdir "$1" && dir=$1 deb=$2 && shift 2 && dpkg-deb --fsys-tarfile "$deb" | tar --extract --directory "$dir" "$@"';
    await run(["sh", "-c", extract, "sh", directory, deb, ...programs]);
  });
}
