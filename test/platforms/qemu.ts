import { join } from "node:path";
import { cached } from "../../scripts/cache";
import { fetchDeb } from "../../scripts/image/inputs/debs";
import { run } from "../../scripts/run";
import { type FinishedSidecar, runSidecar } from "../support/sidecar";
import { temporaryDirectory } from "../../scripts/temporary";

/** When Debian's archive had this version: snapshot.debian.org has it at this time. */
const SEEN = "2026-11-25T00:00:00Z";

/** Debian 12's, for amd64: static programs that run on any Linux. */
const DEB = {
  archive: "debian",
  path: "pool/main/q/qemu/qemu-user-static_7.2+dfsg-7+deb12u18+b3_amd64.deb",
  sha256: "c3e3ba2bd87f8c5b9a5da5ef21b5a3b82d7c63b89dd448d9ddaa4eabc5b6e402",
} as const;

const PROGRAMS = ["./usr/bin/qemu-x86_64-static", "./usr/bin/qemu-aarch64-static"] as const;

/** The emulators of a process, by the machine they emulate. */
export interface Qemu {
  readonly amd64: string;
  readonly arm64: string;
}

/**
 * QEMU's user mode emulators, out of Debian's package and in the cache.
 *
 * @returns undefined, with a line that says why, where they cannot be had
 * @throws with CI=true, where they cannot be had
 */
export async function findQemu(): Promise<Qemu | undefined> {
  try {
    return await unpackQemu();
  } catch (error) {
    const line = `The tests of emulated CPUs are skipped: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env["CI"] === "true") throw new Error(`${line} With CI=true none may be.`, { cause: error });
    console.warn(line);
    return undefined;
  }
}

async function unpackQemu(): Promise<Qemu> {
  if (process.arch !== "x64") throw new Error(`QEMU is pinned for amd64 alone, and this is ${process.arch}.`);
  const root = await cached([DEB.sha256, ...PROGRAMS], "qemu", async (path) => {
    const deb = await fetchDeb(DEB, SEEN);
    // Two of its forty programs: the others take 350 MB.
    const unpack = 'mkdir "$1" && dpkg-deb --fsys-tarfile "$2" | tar --extract --directory "$1" "$3" "$4"';
    await run(["sh", "-c", unpack, "sh", path, deb, ...PROGRAMS]);
  });
  return { amd64: join(root, PROGRAMS[0]), arm64: join(root, PROGRAMS[1]) };
}

/** Runs a program under an emulator, to its end. The emulator ends by the signal that ends the program. */
export async function emulate(emulator: string, args: readonly string[]): Promise<FinishedSidecar> {
  // The emulator writes a core file into its directory, if the limit allows one.
  using scratch = temporaryDirectory();
  return await runSidecar(args, { executable: emulator, cwd: scratch.path });
}
