import { expect, test } from "bun:test";
import { startProgress } from "../../src/terminal/progress";
import { screenOf } from "../support/pty";

test("is rewritten in place", () => {
  const { written, line } = begin(80);
  line.show("asked 9 of 30");
  line.show("asked 10 of 30");
  expect(written.join("")).toBe("\rasked 9 of 30\rasked 10 of 30");
});

test("leaves nothing of a longer one", () => {
  const { written, line } = begin(80);
  line.show("a long line");
  line.show("short");
  expect(screenOf(written.join(""))).toBe("short");
});

test("leaves nothing when it ends, and the next line begins where it began", () => {
  const { written, line } = begin(80);
  line.show("asked 1 of 2");
  line[Symbol.dispose]();
  line[Symbol.dispose]();
  expect(screenOf(`${written.join("")}DRIVER\n`)).toBe("DRIVER\n");
  expect(written).toHaveLength(2);
});

test("never reaches the last column", () => {
  const { written, line } = begin(8);
  line.show("asked 1 of 2 drivers");
  expect(written).toEqual(["\rasked 1"]);
});

test.each([
  ["the same again", 80, ["a", "a"], ["\ra"]],
  ["nothing to erase", 80, [""], []],
  ["no terminal", undefined, ["a", "b"], []],
])("writes no more than it must: %s", (_, columns, lines, expected) => {
  const { written, line } = begin(columns);
  for (const each of lines) line.show(each);
  expect(written).toEqual(expected);
});

function begin(columns: number | undefined) {
  const written: string[] = [];
  const line = startProgress({
    writeError: (text) => void written.push(text),
    streamFacts: () => ({ isTerminal: columns !== undefined, columns, env: {} }),
    onInterrupt: () => ({ [Symbol.dispose]: () => {} }),
  });
  return { written, line };
}
