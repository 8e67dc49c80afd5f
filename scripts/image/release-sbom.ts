import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { cyclonedxOfBinary } from "./cyclonedx";
import { executableContents } from "./executable-contents";
import type { DebianArchitecture } from "./lock";

/**
 * Writes the SBOM of an executable of a release beside it, in CycloneDX.
 *
 * @param executable its path
 * @param created what the SBOM is dated, in seconds since 1970
 * @returns `EXECUTABLE.cdx.json`
 */
export async function writeReleaseSbom(
  executable: string,
  architecture: DebianArchitecture,
  created: number,
): Promise<string> {
  const { version, description, license: licence } = packageJson;
  const sha256 = createHash("sha256").update(readFileSync(executable)).digest("hex");
  const binary = { name: basename(executable), version, description, licence, sha256 };
  const contents = await executableContents(architecture);
  const path = `${executable}.cdx.json`;
  writeFileSync(path, `${JSON.stringify(cyclonedxOfBinary(binary, contents, new Date(created * 1_000)), null, 2)}\n`);
  return path;
}
