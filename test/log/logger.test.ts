import { describe, expect, test } from "bun:test";
import { createLogging, droppedLinesNotice, type LoggerOptions } from "../../src/log/logger";
import { type VmodulePattern, vmoduleVerbosity } from "../../src/log/vmodule";

const timeMs = new Date(2026, 10, 22, 9, 53, 50, 671).getTime();
const options: LoggerOptions = {
  format: "text",
  timeZone: "local",
  verbosity: 0,
  vmodule: [],
  write: () => {},
  nowMs: () => timeMs,
  pid: 7,
};

function logTo(lines: string[], changes: Partial<LoggerOptions> = {}) {
  return createLogging({ ...options, ...changes, write: (line) => lines.push(line) })("prober.ts");
}

test("each kind of line has its severity", () => {
  const lines: string[] = [];
  const logger = logTo(lines, { verbosity: 2 });
  logger.info("Told");
  logger.warning("Warned", { n: 1 });
  logger.error("bad", "Failed", { driver: "d" });
  logger.error(undefined, "Failed alone");
  logger.v(2).info("Detailed", { n: 2 });
  expect(lines).toEqual([
    'I1122 09:53:50.671000       7 prober.ts:1] "Told"\n',
    'W1122 09:53:50.671000       7 prober.ts:1] "Warned" n=1\n',
    'E1122 09:53:50.671000       7 prober.ts:1] "Failed" err="bad" driver="d"\n',
    'E1122 09:53:50.671000       7 prober.ts:1] "Failed alone"\n',
    'I1122 09:53:50.671000       7 prober.ts:1] "Detailed" n=2\n',
  ]);
});

test("JSON says the verbosity of a line", () => {
  const lines: string[] = [];
  logTo(lines, { format: "json", verbosity: 5 }).v(3).info("Detailed");
  expect(lines.map((line) => JSON.parse(line))).toEqual([{ ts: timeMs, caller: "prober.ts:1", msg: "Detailed", v: 3 }]);
});

test("a line above the verbosity is not written, and its logger is shared", () => {
  const lines: string[] = [];
  const logger = logTo(lines, { verbosity: 4 });
  logger.v(5).info("Too much");
  expect(lines).toEqual([]);
  expect(logger.v(5).enabled).toBe(false);
  expect(logger.v(5)).toBe(logger.v(6));
  expect(logger.v(4).enabled).toBe(true);
});

describe("vmodule", () => {
  test.each([
    ["the name itself", "prober", true],
    ["another name", "server", false],
    ["a part of the name", "probe", false],
    ["the name with its extension", "prober.ts", false],
    ["a star", "*", true],
    ["stars around", "*ob*", true],
    ["two stars", "p**r", true],
    ["question marks", "prob??", true],
    ["too few question marks", "prob?", false],
    ["a range", "[a-p]rober", true],
    ["a range that leaves it out", "[^a-o]rober", true],
    ["a set that leaves it out", "[^p]rober", false],
    ["an exclamation mark, which is a character", "[!p]rober", true],
    ["a range whose end is before its start", "[z-a]rober", false],
    ["such a range and more", "[z-ap]rober", true],
    ["an escaped letter", String.raw`\p*`, true],
    ["an escaped star", String.raw`\*`, false],
    ["an escaped bracket in a set", String.raw`[\]p]rober`, true],
    ["a backslash at the end", "prober\\", false],
    ["a bracket that is not closed", "[prober", false],
    ["an empty set", "[]p]rober", false],
    ["a hyphen at the start of a set", "[-p]rober", false],
    ["a hyphen at the end of a set", "[p-]rober", false],
    ["a point, which is a character", "p.ober", false],
    ["an alternative, which is characters", "(prober|server)", false],
  ])("%s", (_, pattern, enabled) => {
    const logger = logTo([], { vmodule: [{ pattern, verbosity: 5 }] });
    expect(logger.v(5).enabled).toBe(enabled);
  });

  test("a negation of nothing is not well-formed, and does not match its own character", () => {
    expect(vmoduleVerbosity([{ pattern: "[^]", verbosity: 5 }], "^.ts")).toBe(0);
  });

  test.each<[string, number, readonly VmodulePattern[], number]>([
    [
      "the first match counts",
      0,
      [
        { pattern: "p*", verbosity: 2 },
        { pattern: "*", verbosity: 9 },
      ],
      2,
    ],
    ["a pattern does not lower the verbosity", 4, [{ pattern: "*", verbosity: 1 }], 4],
    ["a pattern raises the verbosity", 4, [{ pattern: "*", verbosity: 6 }], 6],
  ])("%s", (_, verbosity, vmodule, highest) => {
    const logger = logTo([], { verbosity, vmodule });
    expect([highest, highest + 1].map((n) => logger.v(n).enabled)).toEqual([true, false]);
  });
});

test.each<[string, Partial<LoggerOptions>]>([
  ["a write", { write: refuse }],
  ["a clock", { nowMs: refuse }],
])("%s that throws does not reach the caller", (_, changes) => {
  const logger = createLogging({ ...options, ...changes })("prober.ts");
  expect(() => logger.error("bad", "Failed")).not.toThrow();
});

test.each([
  ["text", "standard output", /^I1122 09:53:50\.671000 {7}7 sink\.ts:1\] "Log lines were lost [^"]+" dropped=3\n$/],
  ["text", "standard error", /^W1122 09:53:50\.671000 {7}7 sink\.ts:1\] "Log lines were lost [^"]+" dropped=3\n$/],
  ["json", "standard output", /^\{"ts":[\d.]+,"caller":"sink\.ts:1","msg":"Log lines [^"]+","v":0,"dropped":3\}\n$/],
  ["json", "standard error", /^\{"ts":[\d.]+,"caller":"sink\.ts:1","msg":"Log lines were lost [^"]+","dropped":3\}\n$/],
] as const)("the notice of lost lines is a line of the %s log on %s", (format, stream, line) => {
  expect(droppedLinesNotice({ ...options, format }, stream, 3)).toMatch(line);
});

function refuse(): never {
  throw new Error("refused");
}
