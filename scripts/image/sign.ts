import { join } from "node:path";
import { parseArgs } from "node:util";
import { temporaryDirectory } from "../temporary";
import { readCommit } from "../commit";
import { BUILT_DIRECTORY, type BuiltImage, checkSbom, openBuilt, readVariant } from "./built";
import { type Signer, openCosign, readSigner } from "./cosign";
import { readBuildInputs, selfAssertedProvenance } from "./provenance";
import { readReference } from "./reference";

const USAGE = "bun run image:sign --image HOST/NAME[:TAG][@DIGEST] [--key PATH] [--variant NAME] [--from DIRECTORY]";

/**
 * Signs what `bun run image:push` pushed: the index and each image in it, each with its SBOM, and, with a key, the
 * provenance that the builder asserts of itself. Only what is in `--from` gets signed, whatever a tag points at.
 */
async function sign(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      image: { type: "string" },
      key: { type: "string" },
      variant: { type: "string", default: "livenessprobe" },
      from: { type: "string", default: BUILT_DIRECTORY },
    },
  });
  if (flags.image === undefined) throw new Error(`What to sign is not said: ${USAGE}`);
  const { repository, digest } = readReference(flags.image);
  const built = openBuilt(flags.from, readVariant(flags.variant));
  if (digest !== undefined && digest !== built.index.digest)
    throw new Error(`${digest} is not what was built: ${flags.variant} in ${flags.from} is ${built.index.digest}`);
  for (const signable of [built.index, ...built.images]) checkSbom(signable);
  const signer = readSigner(flags.key);
  const revision = built.annotations["org.opencontainers.image.revision"] ?? "no revision";
  const fault = revisionFault(revision, await readCommit(), signer);
  if (fault !== undefined) throw new Error(fault);
  await signBuilt(built, repository, signer);
}

/**
 * Why an image is not one of this tree; undefined where it is.
 *
 * With a key, this tree's locks become the provenance, so both are the same. A workflow attests no locks, and it publishes
 * a nightly image from a clean checkout: another job built that image with a newer lock, so its revision ends in `-dirty`.
 *
 * @param revision what the image was built from
 * @param commit of this tree
 */
export function revisionFault(revision: string, commit: string, { kind }: Signer): string | undefined {
  const same = kind === "key" ? revision === commit : committed(revision) === committed(commit);
  if (same) return undefined;
  return `The image was built from ${revision}, and this tree is ${commit}: build it again with bun run image`;
}

function committed(revision: string): string {
  return revision.replace(/-dirty$/, "");
}

async function signBuilt(built: BuiltImage, repository: string, signer: Signer): Promise<void> {
  using directory = temporaryDirectory();
  const provenance = join(directory.path, "provenance.json");
  await Bun.write(provenance, JSON.stringify(selfAssertedProvenance(built, readBuildInputs())));
  using cosign = await openCosign(signer);
  await cosign.signIndex(`${repository}@${built.index.digest}`);
  // One after the other: where a registry has no referrers API, each rewrites the list of what refers to an image.
  for (const { name, digest, sbom } of [built.index, ...built.images]) {
    const reference = `${repository}@${digest}`;
    await cosign.attest(reference, "spdxjson", sbom);
    // GitHub makes the provenance of what a workflow signs: it saw the build.
    if (signer.kind === "key") await cosign.attest(reference, "slsaprovenance1", provenance);
    const what = signer.kind === "key" ? "signature, SBOM, self-asserted provenance" : "signature, SBOM";
    console.log(`${name.padEnd(5)} ${reference}: ${what}`);
  }
}

if (import.meta.main) {
  try {
    await sign();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
