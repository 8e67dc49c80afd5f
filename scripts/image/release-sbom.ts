import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { APK_ARCHITECTURES } from "./apk";
import { jointLicence } from "./component";
import { executableContents } from "./bundled";
import type { DebianArchitecture } from "./lock";
import { spdxOfPackage } from "./spdx";

/**
 * Writes the SBOM of an executable of a release beside it, in SPDX as those of the image.
 *
 * @param executable its path
 * @param created what the SBOM is dated, in seconds since 1970
 * @returns `EXECUTABLE.spdx.json`
 */
export async function writeReleaseSbom(
  executable: string,
  architecture: DebianArchitecture,
  created: number,
): Promise<string> {
  const { version, description, license } = packageJson;
  const name = basename(executable);
  const sha256 = createHash("sha256").update(readFileSync(executable)).digest("hex");
  const contains = await executableContents(architecture);
  const licence = jointLicence(license, contains);
  const subject = { type: "generic", name, version, licence, description } as const;
  const file = { path: `/${name}`, sha256, licence, contains };
  const identified = { ...subject, architecture: APK_ARCHITECTURES[architecture] };
  const sbom = spdxOfPackage(identified, [file], [], new Date(created * 1_000));
  const path = `${executable}.spdx.json`;
  writeFileSync(path, `${JSON.stringify(sbom, null, 2)}\n`);
  return path;
}
