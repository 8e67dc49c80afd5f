import { expect, test } from "bun:test";
import { formatElapsed, tenths } from "../../src/terminal/elapsed";

test.each([
  [0, "0s"],
  [0.0004, "0s"],
  [0.21349, "213µs"],
  [0.99951, "1ms"],
  [1.249, "1.2ms"],
  [99.96, "100ms"],
  [999.96, "1s"],
  [3_004.9, "3s"],
  [3_005.1, "3.01s"],
  [61_000, "1m1s"],
])("%p ms read as %s", (ms, text) => {
  expect(formatElapsed(ms)).toBe(text);
});

test.each([
  [0.04, 0],
  [0.05, 0.1],
  [3_000.412, 3_000.4],
])("%p ms are %p in JSON", (ms, rounded) => {
  expect(tenths(ms)).toBe(rounded);
});
