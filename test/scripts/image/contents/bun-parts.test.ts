import { describe, expect, test } from "bun:test";
import {
  type BunAccount,
  bunAccount,
  bunComponent,
  embeddedPackages,
  linkedParts,
} from "../../../../scripts/image/contents/bun-parts";
import { flatten } from "../../../../scripts/image/contents/component";

const ACCOUNT = bunAccount();
/** As it begins. */
const LAST_ROW = "| A fork of [`uWebsockets`]";
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

test("Bun is named as npm has it, with the package for each architecture", () => {
  const [amd64, arm64] = [bunComponent("amd64"), bunComponent("arm64")];
  expect(amd64).toMatchObject({ name: "bun", version: Bun.version, purl: `pkg:npm/bun@${Bun.version}` });
  expect([amd64, arm64].map(({ parts }) => parts?.[0])).toMatchObject([
    { purl: `pkg:npm/%40oven/bun-linux-x64@${Bun.version}`, checksum: { algorithm: "SHA512" } },
    { purl: `pkg:npm/%40oven/bun-linux-aarch64@${Bun.version}`, checksum: { algorithm: "SHA512" } },
  ]);
  expect(amd64.parts?.slice(1)).toEqual(arm64.parts?.slice(1) ?? []);
});

test("every part has a purl, a licence and an organization that it was had from", () => {
  const all = flatten([bunComponent("amd64")]);
  expect(all.filter(({ purl, licence, supplier }) => !purl?.startsWith("pkg:") || !licence || !supplier)).toEqual([]);
  expect(new Set(all.map(({ purl }) => purl)).size).toBe(all.length);
});

test.each([
  ["JavaScriptCore", "webkit", "pkg:github/oven-sh/webkit@VERSION", "LGPL-2.0-only"],
  ["boringssl", "boringssl", "pkg:github/oven-sh/boringssl@VERSION", "NOASSERTION"],
  ["zlib-ng", "zlib", "pkg:github/zlib-ng/zlib-ng@VERSION", "Zlib"],
  ["tinycc", "tinycc", "pkg:github/oven-sh/tinycc@VERSION", "LGPL-2.1-only"],
  ["uSockets", "usockets", "pkg:github/oven-sh/bun@VERSION#packages/bun-usockets", "Apache-2.0"],
  ["sqlite", "sqlite", "pkg:generic/sqlite@VERSION", "blessing"],
  ["llhttp", "llhttp", "pkg:github/nodejs/llhttp@vVERSION", "MIT"],
])("%s is at what process.versions says of %s", (name, key, purl, licence) => {
  const version = ACCOUNT.versions[key] ?? "none";
  const part = linkedParts(ACCOUNT).find((each) => each.name === name);
  expect(part).toMatchObject({ version, purl: purl.replace("VERSION", version), licence });
});

test("a library that Bun names no version of has none, and says so", () => {
  const brotli = linkedParts(ACCOUNT).find(({ name }) => name === "brotli");
  expect(brotli).toMatchObject({ purl: "pkg:github/google/brotli", note: "Bun names it, and no version of it" });
  expect(brotli).not.toHaveProperty("version");
});

test("a library whose version is only in the executable is at that version", () => {
  const jpeg = linkedParts(ACCOUNT).find(({ name }) => name === "libjpeg-turbo");
  expect(jpeg).toMatchObject({ version: "3.2.0", purl: "pkg:generic/libjpeg-turbo@3.2.0" });
});

test("what Bun has for Windows alone is not in an executable for Linux", () => {
  expect(linkedParts(ACCOUNT).filter(({ name }) => /libuv|tigerbeetle/i.test(name))).toEqual([]);
});

test("the packages that Bun carries are those of its page", () => {
  const names = embeddedPackages(ACCOUNT.page).map(({ name }) => name);
  expect(names).toHaveLength(23);
  expect([names[0], names.at(-1)]).toEqual(["acorn", "vm-browserify"]);
});

describe("what Bun newly says stops the build:", () => {
  test.each<[string, Partial<BunAccount>, string]>([
    ["a part in process.versions", versions({ quiche: COMMIT }), "process.versions names quiche: "],
    ["a library on its page", row("quiche", "MIT"), "Bun's licence page names quiche: "],
    ["a licence", row("brotli", "Beerware"), "Bun's licence page gives brotli the licence Beerware: "],
    ["a row of another form", page(LAST_ROW, `| a library | MIT |\n${LAST_ROW}`), "has a row | a library | MIT |"],
    ["that a library is gone", page(/^\| \[`zstd`.*\n/m, ""), "Bun's licence page no longer names zstd: "],
    ["no version where there was one", { versions: omit("zstd") }, "process.versions no longer names zstd: "],
    ["a commit of uSockets that is not its own", versions({ usockets: COMMIT }), `uSockets is at ${COMMIT}`],
    [
      "nothing of JavaScriptCore",
      page("statically links JavaScriptCore", "has JavaScriptCore"),
      "the licence of JavaScriptCore",
    ],
    ["no version in its executable", { executable: Buffer.from("") }, 'no longer contains "libjpeg-turbo version ": '],
    ["no table", page("## Linked libraries", "## Libraries"), "has no table of Linked libraries: "],
  ])("%s", (_, change, message) => {
    expect(() => linkedParts({ ...ACCOUNT, ...change })).toThrow(message);
  });
});

function versions(more: Readonly<Record<string, string>>): Partial<BunAccount> {
  return { versions: { ...ACCOUNT.versions, ...more } };
}

function omit(name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(ACCOUNT.versions).filter(([key]) => key !== name));
}

function page(from: string | RegExp, to: string): Partial<BunAccount> {
  return { page: ACCOUNT.page.replace(from, to) };
}

function row(name: string, licence: string): Partial<BunAccount> {
  return page(LAST_ROW, `| [\`${name}\`](https://github.com/an/owner) | ${licence} |\n${LAST_ROW}`);
}
