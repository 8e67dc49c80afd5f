import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { temporaryDirectory } from "./temporary";
import { readCommit } from "./commit";
import { COMPILE_FLAGS } from "./compile-flags";
import { recordOrder } from "./record-order";
import { run } from "./run";

export interface Executable {
  /** Where it goes. Its name becomes part of it, so it is the same for all. */
  readonly path: string;
  /** A Bun executable for the machine it is to run on; without one, for this machine. */
  readonly runtime?: string;
}

const ROOT = join(import.meta.dirname, "..");

/**
 * Compiles the sidecar: the same bytes from the same commit in any directory.
 *
 * Only the pinned Bun can do this, since it becomes part of the executable.
 *
 * @throws with what the compiler says, or where this Bun is another
 */
export async function compileExecutables(executables: readonly Executable[]): Promise<void> {
  const pinned = packageJson.devDependencies.bun;
  if (Bun.version !== pinned)
    throw new Error(`This build needs Bun ${pinned}, got ${Bun.version}: run it with npx --yes bun@${pinned}`);
  const constants = defines({ BUILD_VERSION: packageJson.version, BUILD_COMMIT: await readCommit() });
  using directory = temporaryDirectory();
  const recorder = join(directory.path, basename(executables[0]?.path ?? ""));
  const orderFile = join(directory.path, "bytecode.order");
  await compile({ path: recorder }, constants);
  await recordOrder(recorder, orderFile);
  for (const executable of executables) {
    await mkdir(dirname(executable.path), { recursive: true });
    await compile(executable, [...constants, `--bytecode-order=${orderFile}`]);
  }
}

async function compile({ path, runtime }: Executable, options: readonly string[]): Promise<void> {
  const target = runtime === undefined ? [] : [`--compile-executable-path=${runtime}`];
  const flags = [...COMPILE_FLAGS, ...options, ...target, `--outfile=${path}`];
  await run([process.execPath, "build", "src/main.ts", ...flags], { cwd: ROOT });
}

function defines(constants: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(constants).map(([name, value]) => `--define=${name}=${JSON.stringify(value)}`);
}
