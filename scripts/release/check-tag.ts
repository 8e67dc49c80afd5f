import packageJson from "../../package.json" with { type: "json" };
import { runCommand } from "../command";

/**
 * Why a tag is not that of this version; undefined where it is.
 *
 * @param version of package.json
 */
export function tagFault(tag: string, version: string): string | undefined {
  if (tag === `v${version}`) return undefined;
  return `The tag ${tag} is not v${version}, and ${version} is what package.json says: change the one or the other`;
}

function checkTag(_: object, [tag = ""]: readonly string[]): void {
  const fault = tagFault(tag, packageJson.version);
  if (fault !== undefined) throw new Error(fault);
}

if (import.meta.main)
  await runCommand({
    name: "bun run release:check-tag",
    about: "Checks that a tag is that of the version in package.json: vX.Y.Z.",
    words: ["TAG"],
    flags: {},
    run: checkTag,
  });
