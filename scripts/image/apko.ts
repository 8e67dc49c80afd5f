import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../run";
import { temporaryDirectory } from "../temporary";
import { tool } from "../tools/tool";
import { INDEX_TYPE } from "./oci/layout";
import { type Variant, suffixOf } from "./variants";

const ROOT = join(import.meta.dirname, "../..");

export interface ApkoOptions {
  /** Has `packages/`; the OCI layout is written to `NAME/` and the SBOMs to `sbom/NAME/`. */
  readonly directory: string;
  readonly version: string;
  readonly commit: string;
  /** In seconds since 1970. */
  readonly epoch: number;
}

/**
 * Builds one variant for all architectures, without the network.
 *
 * @param definition its apko configuration, relative to the root of the repository
 * @returns the digest of its index
 */
export async function buildVariant(variant: Variant, definition: string, options: ApkoOptions): Promise<string> {
  const { directory, version, commit, epoch } = options;
  const layout = join(directory, variant);
  const sbom = join(directory, "sbom", variant);
  for (const path of [layout, sbom]) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
  }
  const args = [
    "--log-level=warn",
    `--annotations=org.opencontainers.image.version:${version}`,
    `--annotations=org.opencontainers.image.revision:${commit}`,
    `--sbom-path=${sbom}`,
    join(ROOT, definition),
    `csi-livenessprobe:${version}${suffixOf(variant)}`,
    layout,
  ];
  await runApko(args, directory, epoch);
  return nestIndex(layout, version);
}

/**
 * Runs `apko build` in a directory, to which the paths of its packages are relative. Its own cache would keep the
 * packages of each build for ever, under the path of that directory.
 */
export async function runApko(args: readonly string[], directory: string, epoch: number): Promise<void> {
  using cache = temporaryDirectory();
  const common = [`--cache-dir=${cache.path}`, "--vcs=false", "--ignore-signatures"];
  await runProgram(await tool("apko"), ["build", ...common, ...args], {
    cwd: directory,
    env: { SOURCE_DATE_EPOCH: String(epoch) },
  });
}

/**
 * apko writes the index of the image as the index of the layout. The OCI specification wants an index of the layout
 * that names the index of the image, and so does every tool. The digest stays the same.
 *
 * @returns the digest
 */
function nestIndex(layout: string, version: string): string {
  const path = join(layout, "index.json");
  const index = readFileSync(path);
  const sha256 = Bun.SHA256.hash(index, "hex");
  const digest = `sha256:${sha256}`;
  writeFileSync(join(layout, "blobs/sha256", sha256), index);
  const annotations = { "org.opencontainers.image.ref.name": version };
  const descriptor = { mediaType: INDEX_TYPE, digest, size: index.length, annotations };
  writeFileSync(path, JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [descriptor] }));
  return digest;
}
