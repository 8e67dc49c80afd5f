import packageJson from "../../package.json" with { type: "json" };

const USAGE = "bun run release:check-tag TAG";

/**
 * Why a tag is not that of this version; undefined where it is.
 *
 * @param version of package.json
 */
export function tagFault(tag: string, version: string): string | undefined {
  if (tag === `v${version}`) return undefined;
  return `The tag ${tag} is not v${version}, and ${version} is what package.json says: change the one or the other`;
}

if (import.meta.main) {
  const [tag] = process.argv.slice(2);
  const fault = tag === undefined ? `Which tag is not said: ${USAGE}` : tagFault(tag, packageJson.version);
  if (fault !== undefined) {
    console.error(fault);
    process.exitCode = 1;
  }
}
