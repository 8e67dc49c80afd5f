import { mkdirSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { cached } from "../cache";
import { run } from "../run";
import { fetchFile } from "./fetch";
import type { DebianArchitecture } from "./lock";
import { lockedChecksum } from "./npm-lock";

/** Where npm has Bun for each architecture. */
export const BUN_PACKAGES: Readonly<Record<DebianArchitecture, string>> = {
  amd64: "@oven/bun-linux-x64",
  arm64: "@oven/bun-linux-aarch64",
};

/**
 * The Bun that an executable for this architecture is made of: npm's, with the integrity that `bun.lock` has of it.
 *
 * @returns its path
 */
export async function bunRuntime(architecture: DebianArchitecture): Promise<string> {
  const name = BUN_PACKAGES[architecture];
  const version = packageJson.devDependencies.bun;
  const { value } = lockedChecksum(name, version);
  const file = `${name.replace("@oven/", "")}-${version}.tgz`;
  const registry = process.env["NPM_CONFIG_REGISTRY"] || "https://registry.npmjs.org";
  const archive = await fetchFile(file, [`${registry}/${name}/-/${file}`], { algorithm: "sha512", value });
  const folder = await cached([value, "unpacked"], "bun", async (path) => {
    mkdirSync(path);
    await run(["tar", "--extract", "--file", archive, "--directory", path, "package/bin/bun"]);
  });
  return join(folder, "package/bin/bun");
}
