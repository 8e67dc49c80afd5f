import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import packageJson from "../../package.json" with { type: "json" };
import { runToEnd } from "../support/run-to-end";

const ROOT = join(import.meta.dir, "../..");
/** The driver is started by scripts alone. */
const COMMANDS = [...new Glob("scripts/**/*.ts").scanSync(ROOT)]
  .filter((path) => /^(if \(import\.meta\.main\)\n +)?await runCommand\(/m.test(source(path)))
  .toSorted();

test("each script that package.json or a page names is a command, and nothing else reads a command line", () => {
  const named = [...Object.values(packageJson.scripts), ...["docs/reproduce.md", "Dockerfile"].map(source)].flatMap(
    (text) => [...text.matchAll(/scripts\/[\w/-]+\.ts/g)].map(([path]) => path),
  );
  expect([...new Set(named)].filter((path) => !COMMANDS.includes(path))).toEqual([]);
  const readers = [...new Glob("scripts/**/*.ts").scanSync(ROOT)].filter((path) =>
    source(path).includes("process.argv"),
  );
  expect(readers.toSorted()).toEqual(["scripts/command.ts", "scripts/demo/sample-driver.ts"]);
});

test.each(COMMANDS)("%s has --help, with each of its flags", async (path) => {
  const { code, stdout, stderr } = await runToEnd([process.execPath, join(ROOT, path), "--help"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^Usage: bun (run [a-z:-]+|scripts\/\S+)[^\n]*\n[A-Z]/);
  const flags = [...(stdout.split("\n")[0] ?? "").matchAll(/--[a-z]+/g)].map(([flag]) => flag);
  expect([...stdout.matchAll(/^ {2}(--[a-z]+)/gm)].map(([, flag]) => flag)).toEqual([...flags, "--help"]);
  expect(stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
});

test.each(COMMANDS)("%s refuses what it does not take, in one line, and does nothing", async (path) => {
  const { code, stdout, stderr } = await runToEnd([process.execPath, join(ROOT, path), "--nonsense"]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^Unknown option '--nonsense': bun \S+( \S+)? --help says what it takes\n$/);
});

test.each([
  ["a required flag that is missing", "scripts/image/push.ts", [], "--image is missing: "],
  ["a flag without its value", "scripts/image/push.ts", ["--image"], "Option '--image <value>' argument missing: "],
  ["a word too few", "scripts/image/compare.ts", ["one"], "It takes LAYOUT LAYOUT, and got one: "],
  ["a word too many", "scripts/build.ts", ["one"], "It takes no words beside flags, and got one: "],
])("%s is told in one line", async (_, path, args, why) => {
  const { code, stdout, stderr } = await runToEnd([process.execPath, join(ROOT, path), ...args]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toStartWith(why);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

function source(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}
