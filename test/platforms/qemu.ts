import { join } from "node:path";
import { type FinishedSidecar, runSidecar } from "../support/sidecar";
import { temporaryDirectory } from "../../scripts/temporary";
import { findPrograms } from "./debian-programs";

/** Static programs that run on any Linux. */
const DEB = {
  name: "qemu",
  path: "pool/main/q/qemu/qemu-user-static_7.2+dfsg-7+deb12u18+b3_amd64.deb",
  sha256: "c3e3ba2bd87f8c5b9a5da5ef21b5a3b82d7c63b89dd448d9ddaa4eabc5b6e402",
};

const PROGRAMS = ["./usr/bin/qemu-x86_64-static", "./usr/bin/qemu-aarch64-static"] as const;

/** The emulators of a process, by the machine they emulate. */
export interface Qemu {
  readonly amd64: string;
  readonly arm64: string;
}

/** QEMU's user mode emulators; where they cannot be had, as `findPrograms` has it. */
export async function findQemu(): Promise<Qemu | undefined> {
  const root = await findPrograms(DEB, PROGRAMS, "emulated CPUs");
  return root === undefined ? undefined : { amd64: join(root, PROGRAMS[0]), arm64: join(root, PROGRAMS[1]) };
}

/** Runs a program under an emulator, to its end. The emulator ends by the signal that ends the program. */
export async function emulate(emulator: string, args: readonly string[]): Promise<FinishedSidecar> {
  // The emulator writes a core file into its directory, if the limit allows one.
  using scratch = temporaryDirectory();
  return await runSidecar(args, { executable: emulator, cwd: scratch.path });
}
