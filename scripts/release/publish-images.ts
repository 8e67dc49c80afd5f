import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { type Values, progress, runCommand } from "../command";
import { BUILT_DIRECTORY, FROM_FLAG } from "../image/oci/built";
import { readReference } from "../image/oci/reference";
import { run, runProgram } from "../run";
import { tool } from "../tools/tool";
import { type Target, digestAt, readTargets } from "./targets";

const FLAGS = {
  repository: { value: "HOST/NAME", required: true, help: "Where to publish." },
  tag: { value: "TAG", required: true, help: "The tag of the default variant. The other variants add their suffix." },
  key: { value: "PATH", help: "As for `bun run image:sign`." },
  from: FROM_FLAG,
} as const;
const SIGN = join(import.meta.dirname, "../image/sign.ts");

/**
 * Pushes and signs each variant that the registry does not have under its tag yet. It pushes by digest; `bun run
 * image:tag` sets the tag later, when signature, SBOM and provenance are in the registry.
 *
 * In a GitHub workflow each variant that was pushed becomes an output of the step: `livenessprobe=sha256:...`.
 */
async function publishImages({ repository, tag, key, from = BUILT_DIRECTORY }: Values<typeof FLAGS>): Promise<void> {
  for (const target of readTargets(from, repository, tag)) {
    // oxlint-disable-next-line no-await-in-loop -- they share layers: what the first has pushed the next need not
    if ((await digestAt(target.reference)) === target.digest) {
      console.log(`${target.reference} is ${target.digest} already`);
      continue;
    }
    // oxlint-disable-next-line no-await-in-loop
    console.log(await pushAndSign(target, from, key));
    tellWorkflow(target);
  }
}

async function pushAndSign(target: Target, from: string, key: string | undefined): Promise<string> {
  const { variant, layout, digest, reference } = target;
  const image = `${readReference(reference).repository}@${digest}`;
  progress(`Pushing and signing ${variant}`);
  await runProgram(await tool("crane"), ["push", layout, image]);
  const signer = key === undefined ? [] : ["--key", key];
  return run([process.execPath, SIGN, "--image", image, "--variant", variant, "--from", from, ...signer]);
}

function tellWorkflow({ variant, digest }: Target): void {
  const outputs = process.env["GITHUB_OUTPUT"];
  if (outputs) appendFileSync(outputs, `${variant}=${digest}\n`);
}

await runCommand({
  name: "bun run image:publish",
  about: `Pushes and signs each variant that the registry does not have under its tag yet. It pushes by digest; \`bun
    run image:tag\` sets the tag later.`,
  flags: FLAGS,
  run: publishImages,
});
