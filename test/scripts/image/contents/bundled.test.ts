import { expect, test } from "bun:test";
import packageJson from "../../../../package.json" with { type: "json" };
import {
  bundledComponents,
  bundledFiles,
  copiedPackages,
  packageDirectory,
} from "../../../../scripts/image/contents/bundled";

const BUNDLED = await bundledComponents();

test("the executable has code of what package.json depends on, and of nothing else", () => {
  const versions = Object.fromEntries(BUNDLED.map(({ name, version }) => [name, version]));
  expect(versions).toEqual(packageJson.dependencies);
});

test("a package is told as npm has it", () => {
  const version = packageJson.dependencies["@grpc/grpc-js"];
  expect(BUNDLED.find(({ name }) => name === "@grpc/grpc-js")).toMatchObject({
    version,
    licence: "Apache-2.0",
    purl: `pkg:npm/%40grpc/grpc-js@${version}`,
    downloadLocation: `https://registry.npmjs.org/@grpc/grpc-js/-/grpc-js-${version}.tgz`,
    parts: [],
  });
});

test("a package that was copied into another is told with it", () => {
  const note = `Copied into citty ${packageJson.dependencies.citty}`;
  expect(BUNDLED.find(({ name }) => name === "citty")?.parts).toMatchObject([{ name: "scule", licence: "MIT", note }]);
});

test("each has the checksum that bun.lock has of it, and the text of a licence", () => {
  for (const { checksum, texts } of BUNDLED) {
    expect(checksum?.value).toMatch(/^[0-9a-f]{128}$/);
    expect(texts.map(({ text }) => text.includes("License"))).toContain(true);
  }
});

test("a file counts only where some of it got into an output", () => {
  const outputs = {
    one: { inputs: { "src/b.ts": { bytesInOutput: 1 }, "src/a.ts": { bytesInOutput: 2 } } },
    other: { inputs: { "src/a.ts": { bytesInOutput: 1 }, "src/shaken-off.ts": { bytesInOutput: 0 } } },
  };
  expect(bundledFiles({ outputs })).toEqual(["src/a.ts", "src/b.ts"]);
});

test.each([
  ["a package's", "node_modules/citty/dist/index.mjs", "node_modules/citty"],
  ["one's with a scope", "node_modules/@grpc/grpc-js/build/src/call.js", "node_modules/@grpc/grpc-js"],
  ["one's within another", "node_modules/a/node_modules/@b/c/index.js", "node_modules/a/node_modules/@b/c"],
  ["ours", "src/main.ts", undefined],
])("the package of a file: %s", (_, file, directory) => {
  expect(packageDirectory(file)).toBe(directory);
});

test.each([
  ["of rolldown's", "//#region node_modules/.pnpm/scule@1.3.0/node_modules/scule/dist/index.mjs", ["scule@1.3.0"]],
  ["of a scope", "//#region node_modules/.pnpm/@a+b@1.0.0/node_modules/@a/b/index.js", ["@a/b@1.0.0"]],
  ["with peers in its path", "//#region node_modules/.pnpm/a@1.0.0_b@2.0.0/node_modules/a/index.js", ["a@1.0.0"]],
  ["of esbuild's, which says no version", "// node_modules/ms/index.js", ["ms"]],
  ["of ours alone", "//#region src/index.ts\n// as node_modules has it", []],
])("a copy is seen by the comment that a bundler leaves: %s", (_, source, expected) => {
  expect(copiedPackages(source)).toEqual(expected);
});
