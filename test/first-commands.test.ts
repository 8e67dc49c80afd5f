import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { type FreshClone, commandsOf, freshClone } from "./support/fresh-clone";

// The suite cannot run itself, so `run test` is given one file; .ci/run runs it whole.
const ONE_TEST = " test/support/wait.test.ts";

const commands = ["README.md", "CONTRIBUTING.md"].flatMap((page) => commandsOf(read(page)));
/** Those that build the image take minutes: test/image/first-commands.test.ts has them. */
const quick = [...new Set(commands)].filter((line) => !line.includes(" run image"));

test("the pages have the commands that a new user begins with", () => {
  const names = quick.map((line) => line.replace("npx --yes bun@1.4.5 run ", ""));
  expect(names.toSorted()).toEqual(["build", "check", "demo", "demo:monitor", "test"]);
});

test.each(Object.entries(packageJson.scripts))("%s installs what it needs first", (_, script) => {
  expect(script).toStartWith("bun install --frozen-lockfile --silent && ");
});

// All of them begin with the same, so one clone is installed into once: by the first.
let clone: FreshClone;
beforeAll(async () => {
  clone = await freshClone();
});
afterAll(() => clone[Symbol.dispose]());

test.each(quick)("the first command in a fresh clone with an empty HOME: %s", async (line) => {
  clone.clean();
  const { code, stdout, stderr } = await clone.run(line.endsWith(" test") ? line + ONE_TEST : line);
  expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
});

test("with the PATH of CONTRIBUTING.md, its driver starts after the first command", async () => {
  const path = /^export PATH=.*$/m.exec(read("CONTRIBUTING.md"))?.[0] ?? "";
  const driver = /^ *(bun test\/support\/.*)$/m.exec(read("CONTRIBUTING.md"))?.[1]?.replace("/tmp/", "./") ?? "";
  // Its input is empty, so the driver stops at once.
  const withoutBun = (process.env["PATH"] ?? "").split(":").filter((folder) => !existsSync(join(folder, "bun")));
  const line = `${path} && bun --version && ${driver}`;
  const { code, stdout, stderr } = await clone.run(line, { PATH: withoutBun.join(":") });
  expect({ code, stderr, version: stdout.split("\n")[0] }).toEqual({ code: 0, stderr: "", version: Bun.version });
});

function read(page: string): string {
  return readFileSync(join(import.meta.dirname, "..", page), "utf8");
}
