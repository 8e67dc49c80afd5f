import { expect, test } from "bun:test";
import type { BuiltImage } from "../../../../scripts/image/oci/built";
import { installedPackages } from "../../../../scripts/image/inputs/npm";
import {
  type BuildInputs,
  readBuildInputs,
  selfAssertedProvenance,
} from "../../../../scripts/image/signing/provenance";

const REVISION = "0123456789abcdef0123456789abcdef01234567";
const SOURCE = "https://registry.example/source";
const inputs: BuildInputs = {
  lock: {
    debian: "12",
    time: "2026-05-07T20:33:45.000Z",
    seen: "2026-11-22T00:00:00Z",
    debs: [
      {
        name: "libc6",
        version: "1:2.36-9+deb12u14",
        files: {
          amd64: { archive: "debian", path: "pool/amd64.deb", sha256: "a1" },
          arm64: { archive: "debian", path: "pool/arm64.deb", sha256: "a2" },
        },
      },
    ],
  },
  npm: [{ name: "@scope/name", version: "1.2.3", checksum: { algorithm: "SHA512", value: "b1" } }],
  lockFiles: { "bun.lock": "c1" },
  tools: { bun: "1.4.5" },
};

test("says what decides the image, what was read to build it, and that nobody else vouches for it", () => {
  expect(selfAssertedProvenance(built({}), inputs)).toEqual({
    buildDefinition: {
      buildType: `${SOURCE}/blob/main/docs/verify.md#build-type`,
      externalParameters: {
        source: SOURCE,
        revision: REVISION,
        sourceDateEpoch: 1_767_225_600,
        variant: "livenessprobe-dev",
      },
      resolvedDependencies: [
        { uri: `git+${SOURCE}@${REVISION}`, digest: { gitCommit: REVISION } },
        { uri: "file:bun.lock", digest: { sha256: "c1" } },
        { uri: "pkg:deb/debian/libc6@1:2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12", digest: { sha256: "a1" } },
        { uri: "pkg:deb/debian/libc6@1:2.36-9%2Bdeb12u14?arch=arm64&distro=debian-12", digest: { sha256: "a2" } },
        { uri: "pkg:npm/%40scope/name@1.2.3", digest: { sha512: "b1" } },
      ],
    },
    runDetails: { builder: { id: `${SOURCE}/blob/main/docs/verify.md#self-asserted`, version: { bun: "1.4.5" } } },
  });
});

test.each([["0123-dirty"], [`${REVISION}-dirty`], ["unknown"]])("claims no commit for the revision %s", (revision) => {
  const { buildDefinition } = selfAssertedProvenance(built({ revision }), inputs);
  expect(buildDefinition.externalParameters.revision).toBe(revision);
  expect(buildDefinition.resolvedDependencies[0]).toEqual({ uri: `git+${SOURCE}` });
});

test.each(["source", "revision", "created"])("an image without its annotation %s is refused", (name) => {
  expect(() => selfAssertedProvenance(built({ [name]: undefined }), inputs)).toThrow(
    `The image has no ${name} annotation: build it with bun run image`,
  );
});

test("this tree's inputs: what the build installs, both locks, and the tools", () => {
  const { npm, lockFiles, tools } = readBuildInputs();
  expect(npm).toEqual(installedPackages());
  expect(Object.keys(lockFiles)).toEqual(["bun.lock", "deploy/image/lock.json"]);
  expect(tools).toEqual({ apko: expect.stringMatching(/^\d+\.\d+\.\d+$/), bun: Bun.version });
});

function built(changes: Readonly<Record<string, string | undefined>>): BuiltImage {
  const facts = { source: SOURCE, revision: REVISION, created: "2026-01-01T00:00:00Z", ...changes };
  const annotations = Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [[`org.opencontainers.image.${name}`, value] as const],
  );
  const index = { name: "index", digest: "sha256:0", sbom: "/nowhere" } as const;
  return {
    variant: "livenessprobe-dev",
    layout: "/nowhere",
    index,
    images: [],
    annotations: Object.fromEntries(annotations),
  };
}
