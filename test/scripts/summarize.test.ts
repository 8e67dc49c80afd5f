import { expect, test } from "bun:test";
import { join } from "node:path";
import { runToEnd } from "../support/run-to-end";

const SUMMARIZE = join(import.meta.dirname, "../../.ci/summarize");

/** A command that reports as `bun test` does. */
const tests = (pass: number, fail: number, more = "") =>
  ["sh", "-c", `${more} printf ' %d pass\\n' ${pass}; printf ' %d fail\\n' ${fail}; exit $((${fail} > 0))`] as const;
const SLOW = "sleep 0.2;";

test.each([
  ["one command", [...tests(3, 0)], 0, "3 passed, 0 failed, 0 skipped"],
  ["one after another", [...tests(3, 0), "--", ...tests(4, 0)], 0, "7 passed, 0 failed, 0 skipped"],
  ["one beside another", [...tests(3, 0, SLOW), "++", ...tests(4, 0)], 0, "7 passed, 0 failed, 0 skipped"],
  [
    "two beside two",
    [...tests(1, 0, SLOW), "++", ...tests(2, 0), "++", ...tests(3, 0), "--", ...tests(4, 0)],
    0,
    "10 passed, 0 failed, 0 skipped",
  ],
  ["one that fails before another", [...tests(3, 1), "--", ...tests(4, 0)], 1, "7 passed, 1 failed, 0 skipped"],
  ["one that fails beside another", [...tests(3, 2, SLOW), "++", ...tests(4, 0)], 1, "7 passed, 2 failed, 0 skipped"],
  ["one without a test beside another", ["true", "++", ...tests(4, 0)], 1, "4 passed, 0 failed, 0 skipped"],
  [
    "one that dies beside another",
    ["sh", "-c", "kill -9 $$", "++", ...tests(4, 0)],
    1,
    "4 passed, 1 failed, 0 skipped",
  ],
  ["one that is not there", ["/nonexistent", "--", ...tests(4, 0)], 1, "4 passed, 1 failed, 0 skipped"],
  [
    "one that closes as this one does",
    [SUMMARIZE, ...tests(3, 0), "++", ...tests(4, 0)],
    0,
    "7 passed, 0 failed, 0 skipped",
  ],
])("the sum of %s is true", async (_, words, code, last) => {
  const ended = await runToEnd([SUMMARIZE, ...words], {});
  expect({ code: ended.code, last: ended.stdout.trimEnd().split("\n").at(-1) }).toEqual({ code, last });
});

test("what runs beside another says its piece after it, whole", async () => {
  const beside = ["sh", "-c", "echo a; sleep 0.2; echo b; echo ' 1 pass'"];
  const { stdout } = await runToEnd([SUMMARIZE, ...beside, "++", "sh", "-c", "echo c; echo ' 1 pass'"], {});
  expect(stdout).toBe("c\n 1 pass\na\nb\n 1 pass\n2 passed, 0 failed, 0 skipped\n");
});
