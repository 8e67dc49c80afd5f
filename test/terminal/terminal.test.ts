import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PtyOptions, runInPty, screenOf } from "../support/pty";

const SCREEN = [process.execPath, join(import.meta.dirname, "../support/sample-screen.ts")];
const TERM = { TERM: "xterm-256color" };
const PROGRESS = "\rasked 1 of 3 drivers ...\rasked 2 of 3 drivers ...\rasked 3 of 3 drivers ...";

test.concurrent.each<readonly [string, string, PtyOptions]>([
  ["80 columns", "list-80-colour", { columns: 80, env: TERM }],
  ["200 columns", "list-200-colour", { columns: 200, env: TERM }],
  ["80 columns and NO_COLOR", "list-80", { columns: 80, env: { ...TERM, NO_COLOR: "1" } }],
  ["200 columns and TERM=dumb", "list-200", { columns: 200, env: { TERM: "dumb" } }],
])("a terminal of %s shows the golden table, and nothing is left of the progress line", async (_, name, options) => {
  const { code, output } = await runInPty(SCREEN, options);
  expect(output).toStartWith(PROGRESS);
  expect({ code, screen: screenOf(output) }).toEqual({ code: 0, screen: goldenText(name) });
});

test.concurrent("output that is piped has no colours, while a terminal has the progress line", async () => {
  const { output, apart } = await runInPty(SCREEN, { columns: 80, env: TERM, apart: "stdout" });
  expect(apart).toBe(goldenText("list-pipe"));
  expect(output).toStartWith(PROGRESS);
  expect(screenOf(output)).toBe("");
});

test.concurrent("errors that are piped have no progress line, while a terminal has the table", async () => {
  const { output, apart } = await runInPty(SCREEN, { columns: 80, env: TERM, apart: "stderr" });
  expect({ output, apart }).toEqual({ output: goldenText("list-80-colour"), apart: "" });
});

function goldenText(name: string): string {
  return readFileSync(join(import.meta.dirname, `${name}.golden.txt`), "utf8");
}
