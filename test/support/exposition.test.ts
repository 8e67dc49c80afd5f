import { describe, expect, test } from "bun:test";
import { parseExposition, valueOf } from "./exposition";

const TEXT = String.raw`# HELP a_total Some help, with a \\ in it.
# TYPE a_total counter
a_total{x="1",y="a\"b\\c\nd"} 2
a_total{x="2",y=""} 3e-05
# HELP b_seconds How long.
# TYPE b_seconds histogram
b_seconds_bucket{le="+Inf"} 1
b_seconds_sum 0.5
b_seconds_count 1
`;

test("families are read with their samples", () => {
  const families = parseExposition(TEXT);
  expect([...families.values()].map(({ name, type, samples }) => [name, type, samples.length])).toEqual([
    ["a_total", "counter", 2],
    ["b_seconds", "histogram", 3],
  ]);
  expect(families.get("a_total")?.help).toBe(String.raw`Some help, with a \\ in it.`);
});

test("a value is found by its name and some of its labels", () => {
  const families = parseExposition(TEXT);
  expect(valueOf(families, "a_total", { x: "1", y: 'a"b\\c\nd' })).toBe(2);
  expect(valueOf(families, "a_total", { x: "2", y: "" })).toBe(0.00003);
  expect(valueOf(families, "b_seconds_sum")).toBe(0.5);
  expect(valueOf(families, "a_total", { x: "1" })).toBe(2);
  expect(valueOf(families, "a_total", { x: "3" })).toBeUndefined();
  expect(() => valueOf(families, "a_total")).toThrow("2 samples of a_total");
});

describe("what is no exposition is refused", () => {
  test.each([
    ["no newline at the end", "# TYPE a gauge\na 1"],
    ["a family twice", "# TYPE a gauge\na 1\n# TYPE a gauge\na 1\n"],
    ["a sample of another family", "# TYPE a gauge\nb 1\n"],
    ["a histogram's sample without its end", "# TYPE a histogram\na 1\n"],
    ["a word for a number", "# TYPE a gauge\na x\n"],
    ["a label without quotes", "# TYPE a gauge\na{b=1} 1\n"],
    ["a quote that is not escaped", '# TYPE a gauge\na{b="c"d"} 1\n'],
    ["an empty line", "# TYPE a gauge\na 1\n\n"],
  ])("%s", (_, text) => {
    expect(() => parseExposition(text)).toThrow();
  });
});
