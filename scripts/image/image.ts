import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { temporaryDirectory } from "../../test/support/temporary";
import { readCommit, readSourceDateEpoch } from "../commit";
import { compileExecutables } from "../executable";
import { APK_ARCHITECTURES, type Apk, writeApk, writeIndex } from "./apk";
import { type ApkoOptions, VARIANT_NAMES, buildVariant } from "./apko";
import { unpackDeb } from "./debs";
import { type DebianArchitecture, readLock } from "./lock";
import { baselayout, busybox, glibc, livenessprobe } from "./packages";
import { bunRuntime } from "./runtimes";

const DIST = join(import.meta.dirname, "../../dist");
const ARCHITECTURES: readonly DebianArchitecture[] = ["amd64", "arm64"];
const RELEASE_NAMES: Readonly<Record<DebianArchitecture, string>> = {
  amd64: "livenessprobe-linux-x64",
  arm64: "livenessprobe-linux-arm64",
};

/** Builds every image into `dist/image/`, and the executables in them into `dist/release/`. */
async function image(): Promise<void> {
  const directory = join(DIST, "image");
  const packages = join(directory, "packages");
  const startedMs = performance.now();
  const options = {
    directory,
    version: packageJson.version,
    commit: await readCommit(),
    epoch: await readSourceDateEpoch(),
  };
  rmSync(directory, { recursive: true, force: true });
  using scratch = temporaryDirectory();
  await compileAll(scratch.path);
  for (const architecture of ARCHITECTURES) {
    const apks = await Promise.all(
      (await apksFor(architecture, scratch.path, options)).map(async (apk) => writeApk(apk, architecture, packages)),
    );
    await writeIndex(apks, join(packages, APK_ARCHITECTURES[architecture]));
  }
  const digests = await buildVariants(options);
  writeFileSync(join(directory, "digests.json"), `${JSON.stringify(digests, null, 2)}\n`);
  for (const [name, digest] of Object.entries(digests)) console.log(`${name.padEnd(24)} ${digest}`);
  const took = ((performance.now() - startedMs) / 1_000).toFixed(0);
  console.log(`Built dist/image: ${options.version}, commit ${options.commit}, for amd64 and arm64, in ${took} s`);
}

async function compileAll(scratch: string): Promise<void> {
  const executables = ARCHITECTURES.map(async (architecture) => ({
    path: executableOf(architecture, scratch),
    runtime: await bunRuntime(architecture),
  }));
  await compileExecutables(await Promise.all(executables));
  mkdirSync(join(DIST, "release"), { recursive: true });
  for (const architecture of ARCHITECTURES)
    copyFileSync(executableOf(architecture, scratch), join(DIST, "release", RELEASE_NAMES[architecture]));
}

function executableOf(architecture: DebianArchitecture, scratch: string): string {
  return join(scratch, architecture, "livenessprobe");
}

async function apksFor(
  architecture: DebianArchitecture,
  scratch: string,
  { epoch }: ApkoOptions,
): Promise<readonly Apk[]> {
  const lock = readLock();
  const [libc6, shell] = await Promise.all([
    unpackDeb(lock, "libc6", architecture, scratch),
    unpackDeb(lock, "busybox-static", architecture, scratch),
  ]);
  return [
    livenessprobe(executableOf(architecture, scratch), [], epoch),
    glibc(libc6, lock),
    baselayout(lock),
    busybox(shell, lock),
  ];
}

async function buildVariants(options: ApkoOptions): Promise<Readonly<Record<string, string>>> {
  const digests: Record<string, string> = {};
  for (const variant of VARIANT_NAMES) digests[variant] = await buildVariant(variant, options);
  return digests;
}

try {
  await image();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
