import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type KeyPair, byKey, cosign, generateKeyPair, passwordOf, runScript, succeeded } from "../support/signing";
import { type TemporaryDirectory, temporaryDirectory } from "../../scripts/temporary";

/** cosign is compiled where the cache has none. */
const TOOLS_BOUND_MS = 15 * 60_000;

let directory: TemporaryDirectory;
let keys: Readonly<Record<"ours" | "strangers", KeyPair>>;
let files: string;

beforeAll(async () => {
  directory = temporaryDirectory();
  keys = {
    ours: await generateKeyPair(directory.path, "ours"),
    strangers: await generateKeyPair(directory.path, "strangers"),
  };
  files = join(directory.path, "release");
  mkdirSync(files);
  for (const name of ["one", "other"]) writeFileSync(join(files, name), `the bytes of ${name}`);
  expect(await signFiles()).toBe("one.sigstore.json\nother.sigstore.json\n");
  writeFileSync(join(files, "changed"), "the bytes of one, changed");
}, TOOLS_BOUND_MS);
afterAll(() => directory[Symbol.dispose]());

test.each([
  ["a file with its bundle verifies", "one", "one", "ours", 0, "Verified OK"],
  ["a changed file is refused", "changed", "one", "ours", 1, "invalid signature"],
  ["another file's bundle is refused", "one", "other", "ours", 1, "invalid signature"],
  ["another key is refused", "one", "one", "strangers", 1, "invalid signature"],
] as const)("%s", async (_, file, bundle, who, code, said) => {
  const args = ["--bundle", join(files, `${bundle}.sigstore.json`), join(files, file)];
  const ended = await cosign(["verify-blob", ...byKey(keys[who]), ...args]);
  expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(said)]);
});

test("signing again takes in what is new, and no bundles", async () => {
  expect(await signFiles()).toBe("changed.sigstore.json\none.sigstore.json\nother.sigstore.json\n");
});

test("where there is nothing to sign, it says so in a line", async () => {
  using empty = temporaryDirectory();
  const args = ["--from", empty.path, "--key", keys.ours.privateKey];
  const { code, stderr } = await runScript("release/sign.ts", args, passwordOf(keys.ours));
  expect([code, stderr]).toEqual([1, `There is nothing to sign in ${empty.path}: bun run image builds it\n`]);
});

async function signFiles(): Promise<string> {
  const args = ["--from", files, "--key", keys.ours.privateKey];
  return succeeded(await runScript("release/sign.ts", args, passwordOf(keys.ours))).stdout;
}
