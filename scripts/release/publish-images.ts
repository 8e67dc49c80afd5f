import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BUILT_DIRECTORY } from "../image/built";
import { readReference } from "../image/reference";
import { run, runProgram } from "../run";
import { tool } from "../tools/tool";
import { type Target, digestAt, readTargets } from "./targets";

const USAGE = "bun run image:publish --repository HOST/NAME --tag TAG [--key PATH] [--from DIRECTORY]";
const SIGN = join(import.meta.dirname, "../image/sign.ts");

/**
 * Pushes and signs each variant that the registry does not have under its tag yet. By digest: the tag is for
 * `bun run image:tag` to set, when all that goes with the image is there too.
 *
 * In a GitHub workflow each one that was pushed becomes an output of the step: `livenessprobe=sha256:...`.
 */
async function publishImages(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      repository: { type: "string" },
      tag: { type: "string" },
      key: { type: "string" },
      from: { type: "string", default: BUILT_DIRECTORY },
    },
  });
  const { repository, tag, key, from } = flags;
  if (repository === undefined || tag === undefined) throw new Error(`Where to publish is not said: ${USAGE}`);
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
  await runProgram(await tool("crane"), ["push", layout, image]);
  const signer = key === undefined ? [] : ["--key", key];
  return run([process.execPath, SIGN, "--image", image, "--variant", variant, "--from", from, ...signer]);
}

function tellWorkflow({ variant, digest }: Target): void {
  const outputs = process.env["GITHUB_OUTPUT"];
  if (outputs) appendFileSync(outputs, `${variant}=${digest}\n`);
}

try {
  await publishImages();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
