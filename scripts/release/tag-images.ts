import { type Values, progress, runCommand } from "../command";
import { BUILT_DIRECTORY, FROM_FLAG } from "../image/oci/built";
import { readReference } from "../image/oci/reference";
import { runProgram } from "../run";
import { tool } from "../tools/tool";
import { digestAt, readTargets } from "./targets";

const FLAGS = {
  repository: { value: "HOST/NAME", required: true, help: "Where the images are." },
  tag: { value: "TAG", required: true, help: "The tag of the default variant. The other variants add their suffix." },
  move: { help: "Move a tag that exists." },
  from: FROM_FLAG,
} as const;

async function tagImages({ repository, tag, move, from = BUILT_DIRECTORY }: Values<typeof FLAGS>): Promise<void> {
  const targets = await Promise.all(
    readTargets(from, repository, tag).map(async (target) => ({ ...target, there: await digestAt(target.reference) })),
  );
  const pending = targets.filter(({ digest, there }) => there !== digest);
  const taken = pending.find(({ there }) => there !== undefined);
  if (taken !== undefined && !move)
    throw new Error(
      `${taken.reference} is ${taken.there} already: a published version must not change (--move moves a tag)`,
    );
  for (const { reference, digest } of pending) {
    const { repository: name, tag: wanted = "" } = readReference(reference);
    progress(`Tagging ${reference}`);
    // oxlint-disable-next-line no-await-in-loop -- few, and in order
    await runProgram(await tool("crane"), ["tag", `${name}@${digest}`, wanted]);
    console.log(`${reference}@${digest}`);
  }
}

await runCommand({
  name: "bun run image:tag",
  about:
    "Sets the tag of each variant on what `bun run image:publish` pushed. A tag that is there stays, but with --move.",
  flags: FLAGS,
  run: tagImages,
});
