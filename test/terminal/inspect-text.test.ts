import { describe, expect, test } from "bun:test";
import type { InspectStep } from "../../src/inspection/report";
import { renderInspection } from "../../src/terminal/inspect-text";
import type { Style } from "../../src/terminal/style";
import { escapeUnprintable } from "../../src/base/text";
import { golden } from "../support/golden";
import { HOSTILE_INSPECTION, STOPPED_INSPECTION } from "../support/sample-reports";

const NOTHING_TO_DO = { remedy: undefined, command: undefined };
const PIPE: Style = { columns: undefined, colour: false };

const STYLES: readonly (readonly [string, Style])[] = [
  ["80", { columns: 80, colour: false }],
  ["80-colour", { columns: 80, colour: true }],
  ["200", { columns: 200, colour: false }],
  ["200-colour", { columns: 200, colour: true }],
  ["pipe", PIPE],
];

describe.each([
  ["inspect", STOPPED_INSPECTION],
  ["inspect-hostile", HOSTILE_INSPECTION],
] as const)("%s", (name, report) => {
  test.each(STYLES)("is the golden text of %s", (style, options) => {
    const text = renderInspection(report, options);
    expect(text).toBe(golden(new URL(`${name}-${style}.golden.txt`, import.meta.url), text));
  });

  test.each(STYLES)("has lines of printable characters alone, in the style of %s", (_, options) => {
    const text = renderInspection(report, { ...options, colour: false });
    expect(text.split("\n").map(escapeUnprintable).join("\n")).toBe(text);
    expect(text).not.toMatch(/ $/m);
    expect(text).toMatch(/[^\n]\n$/);
  });

  test.each(STYLES)("is the same text under its colours, in the style of %s", (_, options) => {
    const coloured = renderInspection(report, { ...options, colour: true });
    expect(Bun.stripANSI(coloured)).toBe(renderInspection(report, { ...options, colour: false }));
  });

  test("is one line for each step, one for each remedy and one for each command, where it is no terminal", () => {
    const lines = renderInspection(report, PIPE).split("\n");
    const failed = report.steps.flatMap(({ outcome }) => (outcome.kind === "failed" ? [outcome] : []));
    const texts = failed.flatMap(({ remedy, command }) => [remedy, command]).filter((text) => text !== undefined);
    expect(lines.slice(3, lines.indexOf("", 3))).toHaveLength(report.steps.length + texts.length);
  });

  test.each([60, 80, 100, 120])("holds its columns in a terminal of %d", (columns) => {
    const lines = renderInspection(report, { columns, colour: false }).split("\n");
    const steps = lines.slice(3, lines.indexOf("", 3));
    const commands = report.steps.flatMap(({ outcome }) => (outcome.kind === "failed" ? [outcome.command] : []));
    const text = steps.filter((line) => !commands.includes(line.trim()));
    expect(text.filter((line) => Bun.stringWidth(line) > columns)).toEqual([]);
    // What follows a step's first line stands in the column of the text.
    const indents = text.filter((line) => line.startsWith(" ")).map((line) => line.search(/\S/));
    expect(new Set(indents).size).toBeLessThanOrEqual(1);
  });
});

test("a command is never broken, and stands further left where it is long", () => {
  const command = `kubectl logs -n ns ${"pod-".repeat(30)} -c c --previous`;
  const steps = [step({ kind: "failed", details: ["a"], remedy: "b", command }, 1)];
  const text = renderInspection({ ...STOPPED_INSPECTION, steps, next: command }, { columns: 80, colour: false });
  expect(text.split("\n\n")[1]).toBe(`FAIL  title   a (1ms)\n              to do: b:\n  ${command}`);
  expect(text.split(command)).toHaveLength(2);
});

test("in a narrow terminal the text of a long title is below it", () => {
  const steps = [
    { ...step({ kind: "passed", details: ["CREATE_DELETE_VOLUME"] }, 1), title: "ControllerGetCapabilities" },
  ];
  const text = renderInspection({ ...STOPPED_INSPECTION, steps }, { columns: 60, colour: false });
  expect(text.split("\n\n")[1]).toBe(`ok    ControllerGetCapabilities\n${" ".repeat(21)}CREATE_DELETE_VOLUME (1ms)`);
});

describe("a step reads", () => {
  test.each<readonly [string, InspectStep, string]>([
    ["passed", step({ kind: "passed", details: ["a", "b"] }, 0.2), "ok    title   a, b (200µs)"],
    ["passed, with its time alone", step({ kind: "passed", details: [] }, 2), "ok    title   (2ms)"],
    ["passed, with nothing to tell", step({ kind: "passed", details: [] }), "ok    title"],
    ["failed", step({ kind: "failed", details: ["a"], ...NOTHING_TO_DO }, 2), "FAIL  title   a (2ms)"],
    [
      "failed, with what to do",
      step({ kind: "failed", details: ["a"], remedy: "b", command: undefined }, 2),
      "FAIL  title   a (2ms)\n              to do: b",
    ],
    [
      "failed, with a command for it",
      step({ kind: "failed", details: ["a"], remedy: "b", command: "c d" }, 2),
      "FAIL  title   a (2ms)\n              to do: b:\n              c d",
    ],
    ["absent", step({ kind: "absent", details: ["Unimplemented"] }, 1), "-     title   Unimplemented (1ms)"],
    ["not permitted", step({ kind: "notPermitted", needs: "hostPID" }), "-     title   not permitted: needs hostPID"],
    ["not reached", step({ kind: "notReached" }), "-     title   not reached"],
  ])("%s", (_, each, lines) => {
    const text = renderInspection({ ...STOPPED_INSPECTION, steps: [each] }, PIPE);
    expect(text.split("\n\n")[1]).toBe(lines);
  });
});

test("a driver that has not told its name, and nothing to paste", () => {
  const report = { ...STOPPED_INSPECTION, driver: undefined, steps: [], next: undefined };
  expect(renderInspection(report, PIPE)).toBe(`socket  ${report.socket}\n\n\n${report.verdict}\n`);
});

test("what to do next is last where no step has said it", () => {
  const report = { ...STOPPED_INSPECTION, steps: [], next: "kubectl logs a" };
  expect(renderInspection(report, PIPE)).toEndWith(`\n${report.verdict}\n\n  kubectl logs a\n`);
});

function step(outcome: InspectStep["outcome"], elapsedMs?: number): InspectStep {
  return { title: "title", outcome, elapsedMs };
}
