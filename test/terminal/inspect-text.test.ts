import { describe, expect, test } from "bun:test";
import type { InspectStep } from "../../src/report";
import { renderInspection } from "../../src/terminal/inspect-text";
import type { Style } from "../../src/terminal/style";
import { escapeUnprintable } from "../../src/text";
import { golden } from "../support/golden";
import { HOSTILE_INSPECTION, STOPPED_INSPECTION } from "../support/sample-reports";

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

  test("is one line for each step, and one for each remedy, where it is no terminal", () => {
    const lines = renderInspection(report, PIPE).split("\n");
    const remedies = report.steps.filter(({ outcome }) => outcome.kind === "failed" && outcome.remedy !== undefined);
    expect(lines.slice(3, lines.indexOf("", 3))).toHaveLength(report.steps.length + remedies.length);
  });
});

test("at 80 columns nothing is wider but the command to paste, which is whole", () => {
  const report = { ...STOPPED_INSPECTION, next: `kubectl logs -n ns ${"pod-".repeat(30)} -c c --previous` };
  const lines = renderInspection(report, { columns: 80, colour: false }).split("\n");
  expect(lines.filter((line) => line.length > 80)).toEqual([`  ${report.next}`]);
});

describe("of 80 columns, titles take 16, and a longer one", () => {
  const title = "ControllerGetCapabilities";
  const indent = " ".repeat(25);
  test.each<readonly [string, readonly string[], string]>([
    ["has a short text next to it", ["not asked"], `${title}   not asked (1ms)`],
    [
      "has a long text below it",
      ["CREATE_DELETE_VOLUME", "PUBLISH_UNPUBLISH_VOLUME", "LIST_VOLUMES"],
      `${title}\n${indent}CREATE_DELETE_VOLUME, PUBLISH_UNPUBLISH_VOLUME,\n${indent}LIST_VOLUMES (1ms)`,
    ],
  ])("%s", (_, details, lines) => {
    const steps = [{ ...step({ kind: "passed", details }, 1), title }];
    const text = renderInspection({ ...STOPPED_INSPECTION, steps }, { columns: 80, colour: false });
    expect(text.split("\n\n")[1]).toBe(`ok    ${lines}`);
  });
});

describe("a step reads", () => {
  test.each<readonly [string, InspectStep, string]>([
    ["passed", step({ kind: "passed", details: ["a", "b"] }, 0.2), "ok    title   a, b (200µs)"],
    ["passed, with its time alone", step({ kind: "passed", details: [] }, 2), "ok    title   (2ms)"],
    ["passed, with nothing to tell", step({ kind: "passed", details: [] }), "ok    title"],
    ["failed", step({ kind: "failed", details: ["a"], remedy: undefined }, 2), "FAIL  title   a (2ms)"],
    [
      "failed, with what to do",
      step({ kind: "failed", details: ["a"], remedy: "b" }, 2),
      "FAIL  title   a (2ms)\n              to do: b",
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

function step(outcome: InspectStep["outcome"], elapsedMs?: number): InspectStep {
  return { title: "title", outcome, elapsedMs };
}
