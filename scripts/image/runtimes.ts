import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { cached } from "../cache";
import { run } from "../run";
import { fetchFile } from "./fetch";
import type { DebianArchitecture } from "./lock";

const ROOT = join(import.meta.dirname, "../..");
const PACKAGES: Readonly<Record<DebianArchitecture, string>> = {
  amd64: "@oven/bun-linux-x64",
  arm64: "@oven/bun-linux-aarch64",
};

/**
 * The Bun that an executable for this architecture is made of: npm's, with the integrity that `bun.lock` has of it.
 *
 * @returns its path
 */
export async function bunRuntime(architecture: DebianArchitecture): Promise<string> {
  const name = PACKAGES[architecture];
  const version = packageJson.devDependencies.bun;
  const value = readIntegrity(`${name}@${version}`);
  const file = `${name.replace("@oven/", "")}-${version}.tgz`;
  const registry = process.env["NPM_CONFIG_REGISTRY"] || "https://registry.npmjs.org";
  const archive = await fetchFile(file, [`${registry}/${name}/-/${file}`], { algorithm: "sha512", value });
  const folder = await cached([value, "unpacked"], "bun", async (path) => {
    mkdirSync(path);
    await run(["tar", "--extract", "--file", archive, "--directory", path, "package/bin/bun"]);
  });
  return join(folder, "package/bin/bun");
}

/** @returns in hexadecimal */
function readIntegrity(locked: string): string {
  const lines = readFileSync(join(ROOT, "bun.lock"), "utf8").split("\n");
  const base64 = /"sha512-([^"]+)"/.exec(lines.find((line) => line.includes(`["${locked}"`)) ?? "")?.[1];
  if (base64 === undefined) throw new Error(`bun.lock has no integrity of ${locked}: run bun install`);
  return Buffer.from(base64, "base64").toString("hex");
}
