import { type Values, progress, runCommand } from "../command";
import { runProgram } from "../run";
import { tool } from "../tools/tool";
import { BUILT_DIRECTORY, FROM_FLAG, openBuilt, readVariant } from "./oci/built";
import { readReference } from "./oci/reference";
import { variantFor } from "./variants";

const FLAGS = {
  image: { value: "HOST/NAME:TAG", required: true, help: "Where to push it." },
  variant: { value: "NAME", help: "Which one. Default: by the suffix of the tag, or livenessprobe if it has none" },
  from: FROM_FLAG,
} as const;

async function push({ image, variant: wanted, from = BUILT_DIRECTORY }: Values<typeof FLAGS>): Promise<void> {
  const { repository, tag, digest } = readReference(image);
  if (tag === undefined || digest !== undefined)
    throw new Error(`${image} must have a tag and no digest: write HOST/NAME:TAG`);
  const variant = variantFor(tag, wanted === undefined ? undefined : readVariant(wanted));
  const { layout, index } = openBuilt(from, variant);
  const crane = await tool("crane");
  progress(`Pushing ${variant} to ${image}`);
  await runProgram(crane, ["push", layout, image]);
  const there = await runProgram(crane, ["digest", image]);
  if (there !== index.digest)
    throw new Error(
      `${image} is ${there} in the registry, but ${index.digest} was pushed: somebody else pushed to this tag`,
    );
  console.log(`${repository}:${tag}@${there}`);
}

await runCommand({
  name: "bun run image:push",
  about: `Pushes one variant of the image, for all architectures, to a registry. Prints HOST/NAME:TAG@DIGEST.`,
  flags: FLAGS,
  run: push,
});
