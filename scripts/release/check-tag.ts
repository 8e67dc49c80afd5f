import packageJson from "../../package.json" with { type: "json" };
import { runCommand } from "../command";

/**
 * Why a tag does not belong to this version; undefined if it does.
 *
 * @param version of package.json
 */
export function tagFault(tag: string, version: string): string | undefined {
  if (tag === `v${version}`) return undefined;
  return `The tag ${tag} is not v${version}, and package.json has ${version}: change one of them`;
}

function checkTag(_: object, [tag = ""]: readonly string[]): void {
  const fault = tagFault(tag, packageJson.version);
  if (fault !== undefined) throw new Error(fault);
}

if (import.meta.main)
  await runCommand({
    name: "bun run release:check-tag",
    about: "Checks that a tag is vX.Y.Z with the version in package.json.",
    words: ["TAG"],
    flags: {},
    run: checkTag,
  });
