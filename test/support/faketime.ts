import { join } from "node:path";
import { cached } from "../../scripts/cache";
import { fetchFile } from "../../scripts/image/inputs/fetch";
import { run } from "../../scripts/run";

const POOL = "http://deb.debian.org/debian/pool/main/f/faketime";
const SNAPSHOT = "https://snapshot.debian.org/archive/debian/20240101T000000Z/pool/main/f/faketime";

/** Debian 12's package, for machines with its glibc (2.36) or a later one. */
const DEBS: Readonly<
  Partial<Record<string, { readonly name: string; readonly sha256: string; readonly triplet: string }>>
> = {
  x64: {
    name: "libfaketime_0.9.10-2.1_amd64.deb",
    sha256: "b09481e7690680966005330c3f907bba4b5eefc35e1faaea4783cc55655d1150",
    triplet: "x86_64-linux-gnu",
  },
  arm64: {
    name: "libfaketime_0.9.10-2.1_arm64.deb",
    sha256: "2e09e24e85c77bdc555a04b4a6dd4523092066135d08ef233396e8f984a3daf2",
    triplet: "aarch64-linux-gnu",
  },
};

/**
 * The library that shows a process another wall clock (libfaketime), out of Debian's package and in the cache.
 *
 * @returns its path; undefined, with a line that says why, where it cannot be had
 * @throws with CI=true, where it cannot be had
 */
export async function findFaketime(): Promise<string | undefined> {
  try {
    return await unpackFaketime();
  } catch (error) {
    const line = `The tests with a wall clock that is set are skipped: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env["CI"] === "true") throw new Error(`${line} With CI=true none may be.`, { cause: error });
    console.warn(line);
    return undefined;
  }
}

/**
 * The environment of a process whose wall clock is off.
 *
 * @param offsetFile holds by how much, in seconds, as `+3600`; it may be written anew
 */
export function offsetClock(library: string | undefined, offsetFile: string): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: library ?? "",
    FAKETIME_TIMESTAMP_FILE: offsetFile,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

async function unpackFaketime(): Promise<string> {
  const deb = DEBS[process.arch];
  if (deb === undefined) throw new Error(`no libfaketime is pinned for ${process.arch}.`);
  const { name, sha256, triplet } = deb;
  const urls = [`${POOL}/${name}`, `${SNAPSHOT}/${name}`];
  const file = await fetchFile(name, urls, { algorithm: "sha256", value: sha256 });
  const root = await cached([sha256], "libfaketime", (path) => run(["dpkg-deb", "--extract", file, path]));
  const library = join(root, "usr/lib", triplet, "faketime/libfaketime.so.1");
  // A library that does not fit this machine's libc is only told of by the loader.
  const said = Bun.spawnSync(["true"], { env: { LD_PRELOAD: library } }).stderr.toString();
  if (said !== "") throw new Error(said.trim());
  return library;
}
