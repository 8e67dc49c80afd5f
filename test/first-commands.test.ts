import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { commandsOf, freshClone } from "./support/fresh-clone";

// The suite cannot run itself, so `run test` is given one file; .ci/run runs it whole.
const ONE_TEST = " test/support/wait.test.ts";

const commands = ["README.md", "CONTRIBUTING.md"].flatMap((page) => commandsOf(read(page)));
/** Those that build the image take minutes: test/image/first-commands.test.ts has them. */
const quick = [...new Set(commands)].filter((line) => !line.includes(" run image"));

test("the pages have the commands that a new user begins with", () => {
  const names = quick.map((line) => line.replace("npx --yes bun@1.4.5 run ", ""));
  expect(names.toSorted()).toEqual(["build", "check", "demo", "demo:monitor", "test"]);
});

test.each(quick)("the first command in a fresh clone with an empty HOME: %s", async (line) => {
  using clone = await freshClone();
  const { code, stdout, stderr } = await clone.run(line.endsWith(" test") ? line + ONE_TEST : line);
  expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
});

test("with the PATH of CONTRIBUTING.md, its driver starts after the first command", async () => {
  using clone = await freshClone();
  const path = /^export PATH=.*$/m.exec(read("CONTRIBUTING.md"))?.[0] ?? "";
  const driver = /^ *(bun test\/support\/.*)$/m.exec(read("CONTRIBUTING.md"))?.[1]?.replace("/tmp/", "./") ?? "";
  await clone.run("npx --yes bun@1.4.5 run build");
  // Its input is empty, so the driver stops at once.
  const withoutBun = (process.env["PATH"] ?? "").split(":").filter((folder) => !existsSync(join(folder, "bun")));
  const line = `${path} && bun --version && ${driver}`;
  const { code, stdout, stderr } = await clone.run(line, { PATH: withoutBun.join(":") });
  expect({ code, stderr, version: stdout.split("\n")[0] }).toEqual({ code: 0, stderr: "", version: Bun.version });
});

function read(page: string): string {
  return readFileSync(join(import.meta.dirname, "..", page), "utf8");
}
