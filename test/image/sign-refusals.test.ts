import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REVISION, type SignedStandIn, signStandIn } from "../support/signed-stand-in";
import { passwordOf, pushBuilt, runScript } from "../support/signing";
import { sbomPath } from "../support/stand-in-image";

/** cosign is compiled where the cache has none. */
const TOOLS_BOUND_MS = 15 * 60_000;
const NO_DIGEST = `sha256:${"0".repeat(64)}`;

let signed: SignedStandIn;
let copies = 0;

beforeAll(async () => {
  signed = await signStandIn();
}, TOOLS_BOUND_MS);
afterAll(async () => signed[Symbol.asyncDispose]());

/** What differs from a call that signs. */
interface Case {
  /** Undefined leaves the flag out. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Done to a copy of what was built. */
  readonly spoil?: (directory: string) => void;
  /** 1 where it is left out. */
  readonly code?: number;
}

const cases: readonly (readonly [string, Case, RegExp])[] = [
  ["no image", { flags: { image: undefined }, code: 2 }, /^--image is missing: bun run image:sign --help says what/],
  [
    "an unknown flag",
    { flags: { keys: "x" }, code: 2 },
    /^Unknown option '--keys': bun run image:sign --help says what/,
  ],
  [
    "no key, and no workflow",
    { flags: { key: undefined } },
    /^There is no key to sign with: give --key PATH, or run in/,
  ],
  [
    "a key that is not there",
    { flags: { key: "/nowhere.key" } },
    /^There is no key \/nowhere\.key: cosign generate-key/,
  ],
  ["no password", { env: { COSIGN_PASSWORD: undefined } }, /^COSIGN_PASSWORD is not set: it is the password of \//],
  ["a wrong password", { env: { COSIGN_PASSWORD: "x" } }, /^cosign: signing .*: decryption failed$/],
  [
    "a digest that was not built",
    { flags: { image: `/signed@${NO_DIGEST}` } },
    /^sha256:0+ is not what was built: live/,
  ],
  [
    "an image that was not pushed",
    { flags: { image: "/elsewhere:1" } },
    /^cosign: signing .* entity not found in regist/,
  ],
  [
    "an unknown variant",
    { flags: { variant: "x" } },
    /^There is no variant x, only livenessprobe, livenessprobe-nonroot/,
  ],
  [
    "another revision",
    { env: { BUILD_COMMIT: "other" } },
    /^The image was built from 0123.*, and this tree is other: /,
  ],
  [
    "no digests.json",
    { spoil: (copy) => rmSync(join(copy, "digests.json")) },
    /^There is no .*digests\.json: build the/,
  ],
  [
    "a layout that was changed",
    { spoil: writeOtherDigest },
    /livenessprobe is sha256:.*, and digests\.json has sha256:0+:/,
  ],
  [
    "no SBOM",
    { spoil: (copy) => rmSync(sbomPath(copy, "index")) },
    /^There is no SBOM .*sbom-index\.spdx\.json: build/,
  ],
  [
    "the SBOM of another image",
    { spoil: swapSboms },
    /x86_64.* describes [0-9a-f]{64}, and not the amd64, sha256:[0-9a-f]/,
  ],
];

describe("image:sign says in a line why it does not sign", () => {
  test.each(cases)("%s", async (_, { flags = {}, env = {}, spoil, code: expected = 1 }, why) => {
    const from = spoil === undefined ? signed.standIn.directory : copyBuilt(spoil);
    const given = { image: "/signed:1", key: signed.ours.privateKey, from, ...flags };
    const args = Object.entries(given).flatMap(([flag, value]) => {
      if (value === undefined) return [];
      return [`--${flag}`, flag === "image" ? signed.registry.address + value : value];
    });
    const environment = { ...passwordOf(signed.ours), BUILD_COMMIT: REVISION, ACTIONS_ID_TOKEN_REQUEST_URL: undefined };
    const { code, stdout, stderr } = await runScript("image/sign.ts", args, { ...environment, ...env });
    expect([code, stdout]).toEqual([expected, ""]);
    const lines = stderr.trimEnd().split("\n");
    expect(lines.at(-1)).toMatch(why);
    expect(lines.slice(0, -1).filter((line) => !line.startsWith("Signing "))).toEqual([]);
  });
});

describe("image:push says in a line why it does not push", () => {
  test.each([
    ["no tag", "/pushed", /must have a tag and no digest: write HOST/],
    ["a digest", `/pushed:1@${NO_DIGEST}`, /must have a tag and no digest: write HOST/],
  ])("%s", async (_, image, why) => {
    const { code, stderr } = await pushBuilt(signed.standIn.directory, signed.registry.address + image);
    expect([code, stderr]).toEqual([1, expect.stringMatching(why)]);
  });

  test("a tag of another variant than --variant says", async () => {
    const args = ["--from", signed.standIn.directory, "--image", `${signed.registry.address}/pushed:1-nonroot`];
    const ended = await runScript("image/push.ts", [...args, "--variant", "livenessprobe"], {});
    const why = "The tag 1-nonroot is of livenessprobe-nonroot, and --variant says livenessprobe: change one of them\n";
    expect(ended).toEqual({ code: 1, stdout: "", stderr: why });
  });

  test("a layout that was changed", async () => {
    const { code, stderr } = await pushBuilt(copyBuilt(writeOtherDigest), `${signed.registry.address}/pushed:1`);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/and digests\.json has sha256:0+: build it again/)]);
  });
});

function copyBuilt(spoil: (directory: string) => void): string {
  const copy = join(signed.directory, `copy-${(copies += 1)}`);
  cpSync(signed.standIn.directory, copy, { recursive: true });
  spoil(copy);
  return copy;
}

function writeOtherDigest(copy: string): void {
  writeFileSync(join(copy, "digests.json"), JSON.stringify({ livenessprobe: NO_DIGEST }));
}

function swapSboms(copy: string): void {
  cpSync(sbomPath(copy, "arm64"), sbomPath(copy, "amd64"));
}
