import { existsSync } from "node:fs";
import { progress } from "../command";
import { run } from "../run";

/**
 * Sees to programs of the machine's own distribution: installs their packages where one is missing. They build and run
 * containers for the tests; nothing of them gets into an image.
 *
 * @param programs program -> the Debian package it is in
 * @throws where one is missing and this is not root on Debian, with the line to run
 */
export async function needPrograms(programs: Readonly<Record<string, string>>): Promise<void> {
  await install(Object.entries(programs).filter(([program]) => Bun.which(program) === null));
}

/** `needPrograms`, of files by their paths. */
export async function needFiles(files: Readonly<Record<string, string>>): Promise<void> {
  await install(Object.entries(files).filter(([path]) => !existsSync(path)));
}

async function install(missing: readonly (readonly [string, string])[]): Promise<void> {
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  const command = ["apt-get", "install", "--yes", "--no-install-recommends", ...packages];
  if (process.getuid?.() !== 0 || Bun.which("apt-get") === null) {
    const names = missing.map(([name]) => name).join(", ");
    throw new Error(`${names}: not here, and it takes root on Debian to install; run: ${command.join(" ")}`);
  }
  progress(`Installing ${packages.join(", ")} with apt-get`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run(["apt-get", "update"], { env });
  await run(command, { env });
}
