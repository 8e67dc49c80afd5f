import { existsSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { type Values, progress, runCommand } from "../command";
import { BUILT_DIRECTORY } from "../image/oci/built";
import { runProgram } from "../run";
import { tagFault } from "./check-tag";
import { BUNDLE, RELEASE_DIRECTORY, readRelease } from "./files";
import { readTargets } from "./targets";

const FLAGS = {
  tag: { value: "TAG", required: true, help: "The tag of the release: vX.Y.Z." },
  repository: { value: "HOST/NAME", required: true, help: "Where its images are." },
  from: { value: "DIRECTORY", help: "The files of the release, each with its signature. Default: dist/release" },
  image: { value: "DIRECTORY", help: "What `bun run image` built. Default: dist/image" },
} as const;

async function publish(flags: Values<typeof FLAGS>): Promise<void> {
  const { tag, repository, from = RELEASE_DIRECTORY, image = BUILT_DIRECTORY } = flags;
  const { version } = packageJson;
  const fault = tagFault(tag, version);
  if (fault !== undefined) throw new Error(fault);
  const files = readRelease(from).flatMap((name) => [join(from, name), join(from, name + BUNDLE)]);
  const missing = files.find((path) => !existsSync(path));
  if (missing !== undefined)
    throw new Error(`There is no ${missing}: sign the release's files with bun run release:sign`);
  const images = readTargets(image, repository, version).map((target) => `${target.reference}@${target.digest}`);
  const args = ["release", "create", tag, "--verify-tag", "--title", tag, "--notes", notes(tag, images), ...files];
  progress(`Making the release ${tag} with ${files.length} files`);
  console.log(await runProgram({ command: ["gh"], env: {} }, args));
}

function notes(tag: string, images: readonly string[]): string {
  const list = images.map((image) => `    ${image}`).join("\n");
  return `Images, for linux/amd64 and linux/arm64:

${list}

docs/verify.md says how to verify them and the files below, docs/reproduce.md how to rebuild them. Read both at ${tag}.
`;
}

await runCommand({
  name: "bun run release:publish",
  about: "Makes the release of a tag on GitHub, with its files and their signatures. Uses GitHub's client gh.",
  flags: FLAGS,
  run: publish,
});
