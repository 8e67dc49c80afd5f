import { copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { COMPILE_FLAGS } from "../scripts/compile-flags";
import apko from "../apko.yaml";
import { buildGoSidecar } from "../test/support/driver-builds";

/** A program that takes the Go sidecar's flags `--csi-address`, `--http-endpoint` and `--probe-timeout`. */
export interface Program {
  readonly label: string;
  readonly path: string;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
}

export type Baseline =
  { readonly kind: "there"; readonly program: Program } | { readonly kind: "missing"; readonly why: string };

const ROOT = join(import.meta.dirname, "..");

/**
 * The sidecar, in the environment that its image gives it (apko.yaml).
 *
 * @param given an executable; without one it is built and copied, for `dist/` may be built anew while the bench runs
 */
export async function prepareOurs(directory: string, given: string | undefined): Promise<Program> {
  return { label: "livenessprobe", path: given ?? (await buildOurs(directory)), env: apko.environment };
}

async function buildOurs(directory: string): Promise<string> {
  await run([process.execPath, join(ROOT, "scripts/build.ts")]);
  const path = join(directory, "livenessprobe");
  copyFileSync(join(ROOT, "dist/livenessprobe"), path);
  return path;
}

/**
 * What ours is measured against: the Go program of `bench/baseline`.
 *
 * @param peer any executable that is to take its place
 */
export async function prepareBaseline(peer: string | undefined): Promise<Baseline> {
  if (peer !== undefined) {
    if (!statSync(peer, { throwIfNoEntry: false })?.isFile())
      throw new Error(`PEER must be an executable, got ${peer}`);
    return { kind: "there", program: { label: "PEER", path: peer, env: {} } };
  }
  const built = await buildGoSidecar();
  switch (built.kind) {
    case "built":
      return { kind: "there", program: { label: "Go baseline", path: built.program.command.join(" "), env: {} } };
    case "missing":
      return built;
  }
  return built satisfies never;
}

/** Compiles a program of this directory in the way the sidecar is, to run in the environment of its image. */
export async function compileProgram(name: string, directory: string): Promise<Program> {
  const path = join(directory, name);
  const source = join(import.meta.dirname, `${name}.ts`);
  await run([process.execPath, "build", source, ...COMPILE_FLAGS, `--outfile=${path}`]);
  return { label: name, path, env: apko.environment };
}

async function run(command: string[]): Promise<void> {
  const child = Bun.spawn(command, { cwd: ROOT, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [code, stderr] = await Promise.all([child.exited, child.stderr.text()]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${stderr.trim()}`);
}
