import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { BUILT_DIRECTORY, openBuilt } from "../../scripts/image/oci/built";
import { VEX_PATH } from "../../scripts/image/vex/document";
import type { Digest } from "../../scripts/image/oci/layout";
import { copyReferrers } from "../support/registry";
import { REVISION, type SignedStandIn, pushChanged, signStandIn } from "../support/signed-stand-in";
import { type Ended } from "../support/run-to-end";
import {
  type KeyPair,
  byKey,
  cosign,
  passwordOf,
  pushBuilt,
  signBuilt,
  signingBy,
  succeeded,
} from "../support/signing";
import { sbomPath } from "../support/stand-in-image";

/** cosign is compiled where the cache has none. */
const TOOLS_BOUND_MS = 15 * 60_000;
const SIGNATURE = "https://sigstore.dev/cosign/sign/v1";
const SBOM = "https://spdx.dev/Document";
const VEX = "https://openvex.dev/ns/v0.2.0";
const PROVENANCE = "https://slsa.dev/provenance/v1";
const EACH = ["index", "amd64", "arm64"] as const;

let signed: SignedStandIn;

beforeAll(async () => {
  signed = await signStandIn();
}, TOOLS_BOUND_MS);
afterAll(async () => signed[Symbol.asyncDispose]());

describe("what is signed with a key", () => {
  test.each(EACH)("%s: its signature verifies", async (name) => {
    const { subject } = await readAttestation(SIGNATURE, reference(digestIn(name)));
    expect(subject.map(({ digest }) => `sha256:${digest.sha256}`)).toEqual([digestIn(name)]);
  });

  test.each(EACH)("%s: its SBOM is attested, as the file has it", async (name) => {
    const { predicate } = await readAttestation(SBOM, reference(digestIn(name)));
    expect(predicate).toEqual(readJson(sbomPath(signed.standIn.directory, name)));
  });

  test.each(EACH)("%s: the statements about vulnerabilities are attested, as the file has them", async (name) => {
    const { predicate } = await readAttestation(VEX, reference(digestIn(name)));
    expect(predicate).toEqual(readJson(VEX_PATH));
  });

  test.each(EACH)("%s: its provenance names the revision, and who says so", async (name) => {
    const { predicate } = await readAttestation(PROVENANCE, reference(digestIn(name)));
    expect(predicate).toMatchObject({
      buildDefinition: {
        externalParameters: { revision: REVISION, source: "https://registry.example/source", variant: "livenessprobe" },
      },
      runDetails: { builder: { id: expect.stringContaining("self-asserted") } },
    });
  });

  test("a tag verifies as what it points at", async () => {
    succeeded(await cosign(["verify", ...byKey(signed.ours), `${signed.repository}:1`]));
  });
});

describe("refused", () => {
  /** Images of our repository that are not as `image:sign` leaves one. */
  let spoilt: Readonly<Record<"unsigned" | "copied" | "of another" | "SBOM alone", string>>;

  beforeAll(async () => {
    const { directory, ours, repository, standIn } = signed;
    const change = async (label: string): Promise<Digest> => pushChanged(repository, standIn.images.amd64, label);
    const [copied, ofAnother] = [await change("copied"), await change("of another")];
    spoilt = {
      unsigned: reference(await change("unsigned")),
      copied: reference(copied),
      "of another": reference(ofAnother),
      "SBOM alone": reference(await change("sbom alone")),
    };
    await copyReferrers(repository, standIn.images.amd64, copied);
    await copyReferrers(repository, standIn.images.arm64, ofAnother, [SBOM]);
    const how = await signingBy(ours, directory);
    succeeded(await cosign(["sign", ...how, spoilt["of another"]], passwordOf(ours)));
    const attest = ["attest", ...how, "--type", "spdxjson", "--predicate", sbomPath(standIn.directory, "amd64")];
    succeeded(await cosign([...attest, spoilt["SBOM alone"]], passwordOf(ours)));
  });

  test.each([
    ["an image without one", "unsigned", 10, "no signatures found"],
    ["a changed image that ours were copied to", "copied", 1, "does not match any digest"],
  ] as const)("the signature of %s", async (_, image, code, why) => {
    expect(await cosign(["verify", ...byKey(signed.ours), spoilt[image]])).toMatchObject({
      code,
      stderr: expect.stringContaining(why),
    });
  });

  test.each([
    ["the signature", "an image without one", SIGNATURE, "unsigned", "no matching attestations"],
    ["the signature", "a changed image that ours were copied to", SIGNATURE, "copied", "does not match any digest"],
    ["the signature", "an image that has an SBOM alone", SIGNATURE, "SBOM alone", "none of the attestations matched"],
    ["the SBOM", "an image without one", SBOM, "unsigned", "no matching attestations"],
    ["the SBOM", "a changed image that ours were copied to", SBOM, "copied", "does not match any digest"],
    ["the SBOM", "a signed image that another's was copied to", SBOM, "of another", "none of the attestations matched"],
    ["the provenance", "an image without one", PROVENANCE, "SBOM alone", "none of the attestations matched"],
  ] as const)("%s, by its type, of %s", async (_, __, type, image, why) => {
    expect(await verifyAttestation(signed.ours, type, spoilt[image])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(why),
    });
  });

  test.each([
    ["signature", SIGNATURE],
    ["SBOM", SBOM],
    ["provenance", PROVENANCE],
  ])("the %s, with another key", async (_, type) => {
    expect(await verifyAttestation(signed.strangers, type, reference(signed.standIn.index))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("accepted signatures do not match threshold"),
    });
  });

  // What docs/verify.md warns of. When this fails, cosign has become stricter and the page can be shorter.
  test("but `cosign verify` takes an SBOM for a signature", async () => {
    const { stdout } = succeeded(await cosign(["verify", ...byKey(signed.ours), spoilt["SBOM alone"]]));
    expect(JSON.parse(stdout)).toMatchObject([{ critical: { type: SBOM } }]);
  });
});

// The default one is what docs/verify.md's commands are run on.
test("a variant in dist/image keeps its digest in the registry, verifies, and has the SBOMs of its files", async () => {
  const variant = "livenessprobe-nonroot";
  const { index, images, annotations } = openBuilt(BUILT_DIRECTORY, variant);
  const revision = annotations["org.opencontainers.image.revision"] ?? "";
  const repository = `${signed.registry.address}/livenessprobe`;
  const { stdout } = succeeded(await pushBuilt(BUILT_DIRECTORY, `${repository}:1`, variant));
  expect(stdout).toBe(`${repository}:1@${index.digest}\n`);
  succeeded(await signBuilt(BUILT_DIRECTORY, `${repository}:1@${index.digest}`, signed.ours, revision, variant));
  for (const { digest, sbom } of [index, ...images]) {
    const image = `${repository}@${digest}`;
    // oxlint-disable-next-line no-await-in-loop -- three
    const [signature, contents, provenance] = await Promise.all([
      readAttestation(SIGNATURE, image),
      readAttestation(SBOM, image),
      readAttestation(PROVENANCE, image),
    ]);
    expect(signature.subject.map((subject) => `sha256:${subject.digest.sha256}`)).toEqual([digest]);
    expect(contents.predicate).toEqual(readJson(sbom));
    expect(provenance.predicate).toMatchObject({ buildDefinition: { externalParameters: { revision, variant } } });
  }
});

function reference(digest: Digest): string {
  return `${signed.repository}@${digest}`;
}

function digestIn(name: (typeof EACH)[number]): Digest {
  const { index, images } = signed.standIn;
  return name === "index" ? index : images[name];
}

async function verifyAttestation(keys: KeyPair, type: string, image: string): Promise<Ended> {
  return cosign(["verify-attestation", ...byKey(keys), "--type", type, image]);
}

interface Statement {
  readonly predicate: unknown;
  readonly subject: readonly { readonly digest: { readonly sha256: string } }[];
}

/** The one attestation of this type, verified. */
async function readAttestation(type: string, image: string): Promise<Statement> {
  const { stdout } = succeeded(await verifyAttestation(signed.ours, type, image));
  // One line each, so that a second attestation of the type would fail here.
  const { payload } = JSON.parse(stdout) as { readonly payload: string };
  return JSON.parse(Buffer.from(payload, "base64").toString()) as Statement;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}
