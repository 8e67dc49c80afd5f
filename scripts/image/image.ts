import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { temporaryDirectory } from "../temporary";
import { type Values, progress, runCommand } from "../command";
import { readCommit, readSourceDateEpoch } from "../commit";
import { compileExecutables } from "../executable";
import { APK_ARCHITECTURES, type Apk, writeApk, writeIndex } from "./apk";
import { withSbom } from "./contents/sbom";
import { type ApkoOptions, buildVariant } from "./apko";
import { type UnpackedDeb, debComponent, unpackDeb } from "./inputs/debs";
import { executableContents } from "./contents/bundled";
import { ARCHITECTURES, type DebianArchitecture, LOCK_PATH, readLock } from "./inputs/lock";
import { licenceNotices } from "./contents/notices";
import { EXECUTABLE, baselayout, busybox, glibc, livenessprobe } from "./packages";
import { bunRuntime } from "./inputs/npm";
import { VARIANTS } from "./variants";
import { BUILT_DIRECTORY } from "./oci/built";
import { recompress } from "./oci/zstd";
import { RELEASE_DIRECTORY, RELEASE_NAMES } from "../release/files";

const FLAGS = {
  packages: {
    value: "DIRECTORY",
    help: "Rebuild from the apks of a release (x86_64/*.apk, aarch64/*.apk), not from the sources.",
  },
} as const;

async function image({ packages: given }: Values<typeof FLAGS>): Promise<void> {
  const startedMs = performance.now();
  const directory = BUILT_DIRECTORY;
  const [version, commit, epoch] = [packageJson.version, await readCommit(), await readSourceDateEpoch()];
  const options = { directory, version, commit, epoch };
  rmSync(directory, { recursive: true, force: true });
  const packages = join(directory, "packages");
  if (given === undefined) {
    await makePackages(packages, epoch);
    copyFileSync(LOCK_PATH, join(directory, "lock.json"));
  } else takePackages(given, packages);
  await Promise.all(Object.values(APK_ARCHITECTURES).map(async (folder) => writeIndex(join(packages, folder))));

  const digests = await buildVariants(options);
  writeFileSync(join(directory, "digests.json"), `${JSON.stringify(digests, null, 2)}\n`);
  for (const [name, digest] of Object.entries(digests)) console.log(`${name.padEnd(27)} ${digest}`);
  const took = ((performance.now() - startedMs) / 1_000).toFixed(0);
  console.log(`Built dist/image: ${version}, commit ${commit}, for amd64 and arm64, in ${took} s`);
}

async function makePackages(packages: string, epoch: number): Promise<void> {
  using scratch = temporaryDirectory();
  await compileAll(scratch.path);
  for (const architecture of ARCHITECTURES) {
    progress(`Packing for ${architecture}`);
    const apks = await apksFor(architecture, scratch.path, epoch);
    await Promise.all(apks.map(async (apk) => writeApk(apk, architecture, packages)));
  }
}

/** A release contains its apks, so it can be rebuilt when its inputs are no longer available. */
function takePackages(from: string, packages: string): void {
  for (const folder of Object.values(APK_ARCHITECTURES)) {
    const source = join(from, folder);
    if (!existsSync(source))
      throw new Error(`${from} has no ${folder}: --packages takes a directory with the apks of a release`);
    cpSync(source, join(packages, folder), { recursive: true });
  }
}

async function compileAll(scratch: string): Promise<void> {
  progress("Compiling the executables for amd64 and arm64");
  const executables = ARCHITECTURES.map(async (architecture) => ({
    path: executableOf(architecture, scratch),
    runtime: await bunRuntime(architecture),
  }));
  await compileExecutables(await Promise.all(executables));
  mkdirSync(RELEASE_DIRECTORY, { recursive: true });
  for (const architecture of ARCHITECTURES)
    copyFileSync(executableOf(architecture, scratch), join(RELEASE_DIRECTORY, RELEASE_NAMES[architecture]));
}

function executableOf(architecture: DebianArchitecture, scratch: string): string {
  return join(scratch, architecture, "livenessprobe");
}

async function apksFor(architecture: DebianArchitecture, scratch: string, epoch: number): Promise<readonly Apk[]> {
  const lock = readLock();
  const libc6 = await unpackDeb(lock, "libc6", architecture, scratch);
  const shell = await unpackDeb(lock, "busybox-static", architecture, scratch);
  const sidecar = livenessprobe(executableOf(architecture, scratch), await licenceNotices(), epoch);
  const inFiles = { [EXECUTABLE]: await executableContents(architecture) };
  const debian = (apk: Apk, deb: UnpackedDeb) =>
    withSbom(apk, architecture, { contains: [debComponent(deb, lock, apk.licence)] });
  return [
    withSbom(sidecar, architecture, { inFiles }),
    debian(glibc(libc6, lock), libc6),
    withSbom(baselayout(lock), architecture, {}),
    debian(busybox(shell, lock), shell),
  ];
}

async function buildVariants(options: ApkoOptions): Promise<Readonly<Record<string, string>>> {
  const digests: Record<string, string> = {};
  for (const [variant, making] of VARIANTS) {
    progress(`Building ${variant}`);
    switch (making.kind) {
      case "apko":
        digests[variant] = await buildVariant(variant, making.definition, options);
        break;
      case "zstd":
        digests[variant] = recompress(options.directory, making.of, variant);
        break;
    }
  }
  return digests;
}

await runCommand({
  name: "bun run image",
  about: `Builds every variant of the image into dist/image/, and the executables in them into dist/release/. It takes
    about a minute, and some minutes more to build the tools the first time.`,
  flags: FLAGS,
  run: image,
});
