import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../../package.json" with { type: "json" };
import { BUILT_DIRECTORY } from "../image/built";
import { runProgram } from "../run";
import { tagFault } from "./check-tag";
import { BUNDLE, RELEASE_DIRECTORY, readRelease } from "./files";
import { readTargets } from "./targets";

const USAGE = "bun run release:publish --tag TAG --repository HOST/NAME";

/** Makes the release of a tag on GitHub, with its files and their signatures, by GitHub's own client. */
async function publish(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      tag: { type: "string" },
      repository: { type: "string" },
      from: { type: "string", default: RELEASE_DIRECTORY },
      image: { type: "string", default: BUILT_DIRECTORY },
    },
  });
  const { tag, repository, from } = flags;
  if (tag === undefined || repository === undefined)
    throw new Error(`Which tag, or where its images are, is not said: ${USAGE}`);
  const { version } = packageJson;
  const fault = tagFault(tag, version);
  if (fault !== undefined) throw new Error(fault);
  const files = readRelease(from).flatMap((name) => [join(from, name), join(from, name + BUNDLE)]);
  const missing = files.find((path) => !existsSync(path));
  if (missing !== undefined)
    throw new Error(`There is no ${missing}: sign the release's files with bun run release:sign`);
  const images = readTargets(flags.image, repository, version).map((target) => `${target.reference}@${target.digest}`);
  const args = ["release", "create", tag, "--verify-tag", "--title", tag, "--notes", notes(tag, images), ...files];
  console.log(await runProgram({ command: ["gh"], env: {} }, args));
}

function notes(tag: string, images: readonly string[]): string {
  const list = images.map((image) => `    ${image}`).join("\n");
  return `Images, for linux/amd64 and linux/arm64:

${list}

How to verify them and the files below is in docs/verify.md, how to build them again in docs/reproduce.md, both at ${tag}.
`;
}

try {
  await publish();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
