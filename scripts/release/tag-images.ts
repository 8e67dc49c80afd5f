import { parseArgs } from "node:util";
import { BUILT_DIRECTORY } from "../image/built";
import { readReference } from "../image/reference";
import { runProgram } from "../run";
import { tool } from "../tools/tool";
import { digestAt, readTargets } from "./targets";

const USAGE = "bun run image:tag --repository HOST/NAME --tag TAG [--move] [--from DIRECTORY]";

/** Sets the tag of each variant on what `bun run image:publish` pushed. A tag that is there stays, but with `--move`. */
async function tagImages(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      repository: { type: "string" },
      tag: { type: "string" },
      move: { type: "boolean", default: false },
      from: { type: "string", default: BUILT_DIRECTORY },
    },
  });
  const { repository, tag, move, from } = flags;
  if (repository === undefined || tag === undefined) throw new Error(`What to tag is not said: ${USAGE}`);
  const targets = await Promise.all(
    readTargets(from, repository, tag).map(async (target) => ({ ...target, there: await digestAt(target.reference) })),
  );
  const pending = targets.filter(({ digest, there }) => there !== digest);
  const taken = pending.find(({ there }) => there !== undefined);
  if (taken !== undefined && !move)
    throw new Error(`${taken.reference} is there, as ${taken.there}: a version that is published does not change`);
  for (const { reference, digest } of pending) {
    const { repository: name, tag: wanted = "" } = readReference(reference);
    // oxlint-disable-next-line no-await-in-loop -- few, and in order
    await runProgram(await tool("crane"), ["tag", `${name}@${digest}`, wanted]);
    console.log(`${reference}@${digest}`);
  }
}

try {
  await tagImages();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
