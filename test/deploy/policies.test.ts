import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What each policy asks of an image, by type: docs/verify.md. */
const TYPES = ["https://sigstore.dev/cosign/sign/v1", "https://spdx.dev/Document", "https://slsa.dev/provenance/v1"];
const WORKFLOW = {
  issuer: "https://token.actions.githubusercontent.com",
  subject: "https://github.com/OWNER/csi-livenessprobe/.github/workflows/release.yml@refs/tags/v0.1.0",
};
/** And nothing like `registry.example/csi-livenessprobe*`, which is other repositories' too. */
const GLOBS = ["", ":*", "@*"].map((rest) => ({ glob: `registry.example/csi-livenessprobe${rest}` }));

describe.each(["kyverno.yaml", "kyverno-key.yaml"])("%s", (file) => {
  const { kind, apiVersion, spec } = read(file);

  test("denies where it cannot tell, and looks at each way to get an image into a pod", () => {
    expect([apiVersion, kind]).toEqual(["policies.kyverno.io/v1", "ImageValidatingPolicy"]);
    expect(spec).toMatchObject({ validationActions: ["Deny"], failurePolicy: "Fail", matchImageReferences: GLOBS });
    expect(spec).toMatchObject({ images: [{ name: "volumes" }], variables: [{ name: "all" }] });
    for (const kinds of ["containers", "initContainers", "ephemeralContainers", "volumes"])
      expect(JSON.stringify(spec)).toContain(`images.${kinds}`);
  });

  test("asks for each attestation by its type, of the release's signer", () => {
    const attestations = spec["attestations"] as readonly { readonly name: string; readonly intoto: object }[];
    const validations = spec["validations"] as readonly { readonly expression: string }[];
    expect(attestations.map(({ intoto }) => intoto)).toEqual(TYPES.map((type) => ({ type })));
    expect(validations.map(({ expression }) => expression)).toEqual(
      attestations.map(
        ({ name }) =>
          `variables.all.all(image, verifyAttestationSignatures(image, attestations.${name}, [attestors.release]) > 0)`,
      ),
    );
  });
});

test("kyverno.yaml names the release workflow at its tag", () => {
  const { spec } = read("kyverno.yaml");
  expect(spec).toMatchObject({ attestors: [{ name: "release", cosign: { keyless: { identities: [WORKFLOW] } } }] });
  expect(JSON.stringify(spec)).not.toContain("insecure");
});

test("kyverno-key.yaml has the place for a key, and looks into no log", () => {
  const ctlog = { insecureIgnoreTlog: true, insecureIgnoreSCT: true };
  const key = { data: expect.stringMatching(/^-----BEGIN PUBLIC KEY-----\n.*\n-----END PUBLIC KEY-----\n$/) };
  expect(read("kyverno-key.yaml").spec).toMatchObject({ attestors: [{ name: "release", cosign: { key, ctlog } }] });
});

test("policy-controller.yaml asks for each attestation by its type, of the release workflow at its tag", () => {
  const { kind, apiVersion, spec } = read("policy-controller.yaml");
  expect([apiVersion, kind]).toEqual(["policy.sigstore.dev/v1beta1", "ClusterImagePolicy"]);
  expect(spec).toMatchObject({ mode: "enforce", images: GLOBS });
  expect(spec["authorities"]).toMatchObject([
    {
      signatureFormat: "bundle",
      keyless: { url: "https://fulcio.sigstore.dev", identities: [WORKFLOW] },
      ctlog: { url: "https://rekor.sigstore.dev" },
    },
  ]);
  const [authority] = spec["authorities"] as readonly { readonly attestations: readonly object[] }[];
  expect(authority?.attestations).toMatchObject(TYPES.map((predicateType) => ({ predicateType })));
});

interface Policy {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

function read(file: string): Policy {
  // The tests above find out whether it is one.
  return Bun.YAML.parse(readFileSync(join(import.meta.dirname, "../../deploy/policies", file), "utf8")) as Policy;
}
