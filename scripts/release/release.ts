import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { imageOf, openLayout, readImageFile } from "../image/oci/layout";
import { type Values, runCommand } from "../command";
import { readSourceDateEpoch } from "../commit";
import { APK_ARCHITECTURES } from "../image/apk";
import { BUILT_DIRECTORY, FROM_FLAG } from "../image/oci/built";
import { ARCHITECTURES, type DebianArchitecture } from "../image/inputs/lock";
import { EXECUTABLE } from "../image/packages";
import { writeReleaseSbom } from "../image/contents/sbom";
import { run } from "../run";
import { CHECKSUMS, RELEASE_DIRECTORY, RELEASE_NAMES, readRelease } from "./files";

const ROOT = join(import.meta.dirname, "../..");
const PLUGIN = join(ROOT, "deploy/kubectl");
/** krew wants it to be called like the plugin. */
const MANIFEST = "csi.yaml";

export interface ReleaseOptions {
  /** What `bun run image` built. */
  readonly from: string;
  /** Has the two executables, and gets the rest. Other files in it are removed. */
  readonly to: string;
  readonly version: string;
  /** The date of the files, in seconds since 1970. */
  readonly epoch: number;
}

/**
 * Adds to the executables that `bun run image` built the other files of a release: an SBOM of each, the packages in the
 * image, from which `bun run image --packages` rebuilds it, the plugin of kubectl, and the checksums. The same bytes
 * from the same image.
 *
 * @returns the names of the files
 * @throws where an executable is not the one in the image
 */
export async function makeRelease({ from, to, version, epoch }: ReleaseOptions): Promise<readonly string[]> {
  const names = Object.values(RELEASE_NAMES);
  for (const name of existsSync(to) ? readdirSync(to) : [])
    if (!names.includes(name)) rmSync(join(to, name), { recursive: true });
  for (const architecture of ARCHITECTURES) {
    const executable = join(to, RELEASE_NAMES[architecture]);
    checkExecutable(executable, from, architecture);
    // oxlint-disable-next-line no-await-in-loop -- two
    await writeReleaseSbom(executable, architecture, epoch);
  }
  await archivePackages(join(from, "packages"), join(to, `livenessprobe-${version}-apks.tar`), epoch);
  await writePlugin(to, version, epoch);
  const sums = readdirSync(to)
    .toSorted()
    .map((name) => `${sha256(readFileSync(join(to, name)))}  ${name}\n`);
  writeFileSync(join(to, CHECKSUMS), sums.join(""));
  return readRelease(to);
}

function checkExecutable(path: string, from: string, architecture: DebianArchitecture): void {
  const image = imageOf(openLayout(join(from, "livenessprobe")), architecture);
  const [inImage, beside] = [readImageFile(image, EXECUTABLE), existsSync(path) ? readFileSync(path) : ""].map(sha256);
  if (inImage !== beside)
    throw new Error(`${path} is not the executable in the image for ${architecture}: build both with bun run image`);
}

/** The packages. Without the index, which can be made again. */
async function archivePackages(packages: string, archive: string, epoch: number): Promise<void> {
  const folders = Object.values(APK_ARCHITECTURES).toSorted();
  await writeArchive(archive, epoch, ["--exclude=APKINDEX.tar.gz", "--directory", packages, ...folders]);
}

/** The plugin `kubectl csi` as krew installs it: an archive, and the manifest with its checksum. */
async function writePlugin(to: string, version: string, epoch: number): Promise<void> {
  const archive = join(to, `kubectl-csi-${version}.tar`);
  await writeArchive(archive, epoch, ["--directory", ROOT, "LICENSE", "--directory", PLUGIN, "kubectl-csi"]);
  const compressed = Bun.gzipSync(readFileSync(archive));
  rmSync(archive);
  writeFileSync(`${archive}.gz`, compressed);
  const manifest = readFileSync(join(PLUGIN, MANIFEST), "utf8").replace(/^#.*\n/, "");
  writeFileSync(join(to, MANIFEST), manifest.replaceAll("VERSION", version).replaceAll("SHA256", sha256(compressed)));
}

/** Sorted, and without names or times of this machine. */
async function writeArchive(archive: string, epoch: number, what: readonly string[]): Promise<void> {
  const same = ["--format=ustar", "--sort=name", `--mtime=@${epoch}`, "--owner=0", "--group=0", "--numeric-owner"];
  await run(["tar", "--create", "--file", archive, ...same, "--mode=u=rwX,go=rX", ...what]);
}

function sha256(content: string | Uint8Array): string {
  return Bun.SHA256.hash(content, "hex");
}

const FLAGS = {
  from: FROM_FLAG,
  to: { value: "DIRECTORY", help: "Has the executables, and gets the other files. Default: dist/release" },
} as const;

async function release({ from = BUILT_DIRECTORY, to = RELEASE_DIRECTORY }: Values<typeof FLAGS>): Promise<void> {
  const { version } = packageJson;
  const epoch = await readSourceDateEpoch();
  for (const name of await makeRelease({ from, to, version, epoch })) console.log(name);
}

if (import.meta.main)
  await runCommand({
    name: "bun run release",
    about: `Adds to the executables that \`bun run image\` built the other files of a release: an SBOM of each, the
      packages in the image, the plugin of kubectl, and the checksums. Prints their names.`,
    flags: FLAGS,
    run: release,
  });
