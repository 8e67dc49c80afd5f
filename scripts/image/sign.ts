import { join } from "node:path";
import { temporaryDirectory } from "../temporary";
import { type Values, progress, runCommand } from "../command";
import { readCommit } from "../commit";
import { BUILT_DIRECTORY, type BuiltImage, FROM_FLAG, checkSbom, openBuilt, readVariant } from "./oci/built";
import { type Signer, openCosign, readSigner } from "./signing/cosign";
import { readBuildInputs, selfAssertedProvenance } from "./signing/provenance";
import { readReference } from "./oci/reference";
import { variantFor } from "./variants";
import { OPENVEX, VEX_PATH, readVex } from "./vex/document";

const FLAGS = {
  image: { value: "HOST/NAME[:TAG][@DIGEST]", required: true, help: "Where `bun run image:push` pushed it." },
  key: {
    value: "PATH",
    help: "A private key of cosign; its password is in COSIGN_PASSWORD. Default: the identity of a GitHub workflow",
  },
  variant: { value: "NAME", help: "Which one. Default: by the suffix of the tag, or livenessprobe if it has none" },
  from: FROM_FLAG,
} as const;

async function sign({ image, key, variant: wanted, from = BUILT_DIRECTORY }: Values<typeof FLAGS>): Promise<void> {
  const { repository, tag, digest } = readReference(image);
  const variant = variantFor(tag, wanted === undefined ? undefined : readVariant(wanted));
  const built = openBuilt(from, variant);
  if (digest !== undefined && digest !== built.index.digest)
    throw new Error(`${digest} is not what was built: ${variant} in ${from} is ${built.index.digest}`);
  for (const signable of [built.index, ...built.images]) checkSbom(signable);
  const signer = readSigner(key);
  const revision = built.annotations["org.opencontainers.image.revision"] ?? "no revision";
  const fault = revisionFault(revision, await readCommit(), signer);
  if (fault !== undefined) throw new Error(fault);
  await signBuilt(built, repository, signer);
}

/**
 * Why an image cannot be signed from this tree; undefined if it can.
 *
 * With a key, the provenance contains the locks of this tree, so the image must be built from exactly this tree. A
 * workflow attests no locks. It publishes a nightly image from a clean checkout, but another job built that image with
 * a newer lock, so its revision may end in `-dirty`.
 *
 * @param revision what the image was built from
 * @param commit of this tree
 */
export function revisionFault(revision: string, commit: string, { kind }: Signer): string | undefined {
  const same = kind === "key" ? revision === commit : committed(revision) === committed(commit);
  if (same) return undefined;
  const what = `The image was built from ${revision}, and this tree is ${commit}`;
  return revision === committed(commit)
    ? `${what}: git status shows what changed since`
    : `${what}: build it again with bun run image`;
}

function committed(revision: string): string {
  return revision.replace(/-dirty$/, "");
}

async function signBuilt(built: BuiltImage, repository: string, signer: Signer): Promise<void> {
  using directory = temporaryDirectory();
  const provenance = join(directory.path, "provenance.json");
  await Bun.write(provenance, JSON.stringify(selfAssertedProvenance(built, readBuildInputs())));
  const said = [
    "signature",
    "SBOM",
    ...(readVex(VEX_PATH) === undefined ? [] : ["VEX"]),
    ...(signer.kind === "key" ? ["self-asserted provenance"] : []),
  ];
  using cosign = await openCosign(signer);
  progress(`Signing ${repository}@${built.index.digest} and the image of each architecture`);
  await cosign.signIndex(`${repository}@${built.index.digest}`);
  // One by one: in a registry without the referrers API, each rewrites the list of the referrers of an image.
  for (const { name, digest, sbom } of [built.index, ...built.images]) {
    const reference = `${repository}@${digest}`;
    progress(`Attesting what is in ${name}`);
    await cosign.attest(reference, "spdxjson", sbom);
    if (said.includes("VEX")) await cosign.attest(reference, OPENVEX, VEX_PATH);
    // In a workflow, GitHub attests the provenance.
    if (signer.kind === "key") await cosign.attest(reference, "slsaprovenance1", provenance);
    console.log(`${name.padEnd(5)} ${reference}: ${said.join(", ")}`);
  }
}

if (import.meta.main)
  await runCommand({
    name: "bun run image:sign",
    about: `Signs what \`bun run image:push\` pushed: the index and each image in it, each with its SBOM and the statements in deploy/vex, and, with a
      key, the provenance that the builder asserts of itself. Signs only what is in --from, wherever a tag points.`,
    flags: FLAGS,
    run: sign,
  });
