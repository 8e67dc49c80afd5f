import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../temporary";
import { COMPILE_FLAGS } from "../../compile-flags";
import { run } from "../../run";
import { bunComponent } from "./bun-parts";
import type { Component } from "./component";
import type { DebianArchitecture } from "../inputs/lock";
import { lockedPackage, npmArchive } from "../inputs/npm";
import { npmPurl } from "./purl";

/** An npm package whose code is in the executable. */
export interface BundledPackage extends Component {
  readonly kind: "npm";
  readonly version: string;
  readonly purl: string;
  /** Its licence and, if it has one, its notice. */
  readonly texts: readonly LicenceText[];
  /** The packages that its build copied into it. */
  readonly parts: readonly BundledPackage[];
}

export interface LicenceText {
  /** The file's name in the package. */
  readonly name: string;
  readonly text: string;
}

const ROOT = join(import.meta.dirname, "../../..");

/** The parts of the executable for this architecture: Bun, what Bun is made of, and the packages of our bundle. */
export async function executableContents(architecture: DebianArchitecture): Promise<readonly Component[]> {
  return [bunComponent(architecture), ...(await bundledComponents())];
}

/**
 * The packages whose code is in the executable, as the bundler reports them.
 *
 * @throws where one has no licence text, is not locked, or carries a copy of a package that is not installed beside it
 */
export async function bundledComponents(): Promise<readonly BundledPackage[]> {
  const files = filesByPackage(bundledFiles(await buildMetafile()));
  return [...files].map(([directory, paths]) => readPackage(directory, paths));
}

/** Each output, its inputs, and how many bytes of each input it has: https://esbuild.github.io/api/#metafile */
export interface Metafile {
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
  >;
}

async function buildMetafile(): Promise<Metafile> {
  using directory = temporaryDirectory();
  const metafile = join(directory.path, "meta.json");
  const constants = ["BUILD_VERSION", "BUILD_COMMIT"].map((name) => `--define=${name}=""`);
  const outputs = [`--outfile=${join(directory.path, "livenessprobe")}`, `--metafile=${metafile}`];
  await run([process.execPath, "build", "src/main.ts", ...COMPILE_FLAGS, ...constants, ...outputs], { cwd: ROOT });
  // Written by the pinned Bun.
  return JSON.parse(readFileSync(metafile, "utf8")) as Metafile;
}

/** The files with at least one byte in an output, sorted. */
export function bundledFiles({ outputs }: Metafile): readonly string[] {
  const files = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  return [...new Set(files)].toSorted();
}

/** `node_modules/@grpc/grpc-js` -> its files, of those that are in a package. */
function filesByPackage(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return Map.groupBy(
    files.filter((file) => packageDirectory(file) !== undefined),
    (file) => packageDirectory(file) ?? "",
  );
}

/** The directory of the innermost package that has the file; undefined for a file of ours. */
export function packageDirectory(file: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
}

function readPackage(directory: string, files: readonly string[]): BundledPackage {
  const { name, version, licence } = readManifest(directory);
  const locked = lockedPackage(name);
  if (locked.version !== version)
    throw new Error(`${directory} is ${version}, and bun.lock has ${name} ${locked.version}: run bun install`);
  const contents = files.map((file) => readFileSync(join(ROOT, file), "utf8"));
  const copies = new Set(contents.flatMap(copiedPackages));
  return {
    kind: "npm",
    name,
    version,
    licence,
    purl: npmPurl(name, version),
    downloadLocation: npmArchive(name, version),
    checksum: locked.checksum,
    texts: readTexts(directory, `${name} ${version}`),
    parts: [...copies].toSorted().map((copy) => copiedPackage(copy, `${name} ${version}`)),
  };
}

/**
 * @throws where the package is not installed at the version of the copy: its checksum and licence are read from there
 */
function copiedPackage(copy: string, carrier: string): BundledPackage {
  const [, name = copy, version] = /^(.+)@(.+)$/.exec(copy) ?? [];
  const directory = `node_modules/${name}`;
  if (!existsSync(join(ROOT, directory)) || readManifest(directory).version !== version)
    throw new Error(`${carrier} carries a copy of ${copy}: bun add --dev --exact ${copy}`);
  return { ...readPackage(directory, []), note: `Copied into ${carrier}` };
}

function readManifest(directory: string): Pick<BundledPackage, "name" | "version" | "licence"> {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, directory, "package.json"), "utf8"));
  const { name, version, license } = manifest as Readonly<Record<string, unknown>>;
  if (typeof name === "string" && typeof version === "string" && typeof license === "string")
    return { name, version, licence: license };
  throw new Error(`${directory}/package.json must say name, version and licence`);
}

function readTexts(directory: string, what: string): readonly LicenceText[] {
  const names = readdirSync(join(ROOT, directory)).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  if (!names.some((name) => !/^notice/i.test(name)))
    throw new Error(`${what} is in the executable and has no file LICENSE`);
  return names.toSorted().map((name) => ({ name, text: readFileSync(join(ROOT, directory, name), "utf8") }));
}

/**
 * `scule@1.3.0`, for each package that a bundler copied into this file: it leaves a comment with the path of the copy.
 * Without a version if the path has none.
 */
export function copiedPackages(source: string): readonly string[] {
  const paths = [...source.matchAll(/^\s*\/\/(?:#region)? (\S*node_modules\/\S+)$/gm)].map(([, path]) => path ?? "");
  return paths.map((path) => {
    const name = packageDirectory(path)?.replace(/^.*node_modules\//, "") ?? path;
    const version = /\/\.pnpm\/(?:@[^/]*?\+)?[^/@]+@([^/_(]+)/.exec(path)?.[1];
    return version === undefined ? name : `${name}@${version}`;
  });
}
