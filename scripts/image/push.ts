import { parseArgs } from "node:util";
import { runProgram } from "../run";
import { tool } from "../tools/tool";
import { BUILT_DIRECTORY, openBuilt, readVariant } from "./built";
import { readReference } from "./reference";

const USAGE = "bun run image:push --image HOST/NAME:TAG [--variant NAME] [--from DIRECTORY]";

/** Pushes one variant, all its architectures, to a registry, and prints what it is there: `HOST/NAME:TAG@DIGEST`. */
async function push(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      image: { type: "string" },
      variant: { type: "string", default: "livenessprobe" },
      from: { type: "string", default: BUILT_DIRECTORY },
    },
  });
  if (flags.image === undefined) throw new Error(`Where to push it is not said: ${USAGE}`);
  const { repository, tag, digest } = readReference(flags.image);
  if (tag === undefined || digest !== undefined)
    throw new Error(`${flags.image} must have a tag and no digest, which is that of what was built: ${USAGE}`);
  const { layout, index } = openBuilt(flags.from, readVariant(flags.variant));
  const crane = await tool("crane");
  await runProgram(crane, ["push", layout, flags.image]);
  const there = await runProgram(crane, ["digest", flags.image]);
  if (there !== index.digest)
    throw new Error(`${flags.image} is ${there} in the registry, and ${index.digest} was pushed: it was overwritten`);
  console.log(`${repository}:${tag}@${there}`);
}

try {
  await push();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
