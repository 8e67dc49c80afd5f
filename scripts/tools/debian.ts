import { existsSync } from "node:fs";
import { progress } from "../command";
import { run } from "../run";

/**
 * Installs the Debian packages of programs that are missing. The programs build and run containers for the tests; no
 * image contains any of them.
 *
 * @param programs program -> the Debian package it is in
 * @throws where one is missing and this is not root on Debian, with the command to run
 */
export async function needPrograms(programs: Readonly<Record<string, string>>): Promise<void> {
  await install(Object.entries(programs).filter(([program]) => Bun.which(program) === null));
}

/** `needPrograms`, for paths of files. */
export async function needFiles(files: Readonly<Record<string, string>>): Promise<void> {
  await install(Object.entries(files).filter(([path]) => !existsSync(path)));
}

async function install(missing: readonly (readonly [string, string])[]): Promise<void> {
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  const command = ["apt-get", "install", "--yes", "--no-install-recommends", ...packages];
  if (process.getuid?.() !== 0 || Bun.which("apt-get") === null) {
    const names = missing.map(([name]) => name).join(", ");
    throw new Error(`${names}: missing, and only root on Debian can install it; run: ${command.join(" ")}`);
  }
  progress(`Installing ${packages.join(", ")} with apt-get`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run(["apt-get", "update"], { env });
  await run(command, { env });
}
