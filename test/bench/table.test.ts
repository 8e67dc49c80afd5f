import { expect, test } from "bun:test";
import { median, percentile } from "../../bench/statistics";
import { ratios, renderSection, spread } from "../../bench/table";

const SECTION = {
  title: "time",
  notes: ["Nothing is pinned."],
  figures: [
    { name: "p50", unit: "ms", digits: 2, ours: [1.5, 1.25, 2], baseline: [1, 1.25, 1] },
    { name: "idle wake-ups in 10 s", unit: "", digits: 0, ours: [31], baseline: [], bare: [30] },
  ],
} as const;

test("a section is a table with median, spread and ratio, and its notes", () => {
  expect(renderSection(SECTION, "Go")).toBe(
    [
      "| time                  |    livenessprobe |               Go |            ratio | bare Bun |",
      "| --------------------- | ---------------: | ---------------: | ---------------: | -------: |",
      "| p50, ms               | 1.50 (1.25-2.00) | 1.00 (1.00-1.25) | 1.50 (1.00-2.00) |        - |",
      "| idle wake-ups in 10 s |               31 |                - |                - |       30 |",
      "",
      "- Nothing is pinned.",
    ].join("\n"),
  );
});

test("without a baseline there is neither its column nor a ratio", () => {
  expect(renderSection(SECTION, undefined).split("\n")[0]).toBe(
    "| time                  |    livenessprobe | bare Bun |",
  );
});

test("the column of the bare program is there only where something is in it", () => {
  const section = { ...SECTION, figures: SECTION.figures.slice(0, 1), notes: [] };
  expect(renderSection(section, "Go").split("\n")[0]).toBe(
    "| time    |    livenessprobe |               Go |            ratio |",
  );
});

test("a section in which nothing could be measured says so", () => {
  expect(renderSection({ title: "limits", figures: [], notes: ["Not measured: no cgroups."] }, "Go")).toBe(
    "limits:\n\n- Not measured: no cgroups.",
  );
});

test.each([
  ["nothing measured", [], "-"],
  ["one value", [1.25], "1.3"],
  ["values that are the same once rounded", [1.01, 1.02], "1.0"],
  ["an even number of values", [1, 2, 4, 9], "3.0 (1.0-9.0)"],
] as const)("the spread of %s", (_, values, text) => {
  expect(spread(values, 1)).toBe(text);
});

test("a ratio is taken pair by pair, and not where half of the pair is missing or nothing", () => {
  expect(ratios({ ours: [2, 9, 5, 1], baseline: [1, 3, 0] })).toEqual([2, 3]);
});

test.each([
  ["the median of an odd number", median([3, 1, 2]), 2],
  ["the median of an even number", median([4, 1, 2, 3]), 2.5],
  ["the median of nothing", median([]), Number.NaN],
  ["half of a hundred", percentile(hundred(), 0.5), 50],
  ["99 of a hundred", percentile(hundred(), 0.99), 99],
  ["99 of a hundred values when there are but three", percentile([1, 2, 3], 0.99), 3],
])("%s", (_, value, expected) => {
  expect(value).toBe(expected);
});

function hundred(): readonly number[] {
  return Array.from({ length: 100 }, (_, index) => 100 - index);
}
