import { describe, expect, test } from "bun:test";
import { formatDuration, parseDuration } from "../../src/base/duration";

describe("a duration that Go reads", () => {
  test.each([
    ["3s", 3_000],
    ["1m30s", 90_000],
    ["1.5s", 1_500],
    ["250ms", 250],
    ["1h0m0s", 3_600_000],
    ["-1.5h", -5_400_000],
    ["+2s", 2_000],
    ["0", 0],
    ["-0", 0],
    ["1.s", 1_000],
    [".5m.5s", 30_500],
    ["1ns1us", 0.001_001],
    ["1.5\u00b5s", 0.001_5],
    ["1.5\u03bcs", 0.001_5],
    ["0.7us", 0.000_7],
    ["0.5ns", 0],
    ["0.3h", 1_080_000],
    ["0.3333333333333333333h", 1_200_000],
    ["0.9999999999999999999s", 1_000],
    ["0.9999999999ns", 0],
    ["0.9223372036854775808h", 3_320_413.933_267],
    ["16777216.000001s", 16_777_216_000.001],
    ["9223372036854775807ns", 9_223_372_036_854.775],
    ["-9223372036854775808ns", -9_223_372_036_854.775],
    ["2562047h47m16.854775807s", 9_223_372_036_854.775],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
});

test.each([
  ["nothing", ""],
  ["a number without a unit", "3"],
  ["two zeros without a unit", "00"],
  ["a unit that Go does not know", "1d"],
  ["a unit in capitals", "1S"],
  ["a unit without a number", "s"],
  ["a point without a digit", ".s"],
  ["two points", "1.5.5s"],
  ["a sign alone", "-"],
  ["two signs", "--1s"],
  ["a sign in the middle", "1h-1m"],
  ["an exponent", "1e3s"],
  ["a space before", " 1s"],
  ["a newline behind", "1s\n"],
  ["a last number without a unit", "1m1"],
  ["digits of another script", "\u0661s"],
  ["a nanosecond more than int64 holds", "9223372036854775808ns"],
  ["a nanosecond less than int64 holds", "-9223372036854775809ns"],
  ["a sum that int64 does not hold", "2562047h47m16.854775808s"],
  ["more digits than int64 has", "100000000000000000000ns"],
])("%s is refused", (_, text) => {
  expect(parseDuration(text)).toBeUndefined();
});

describe("a duration as Go writes it", () => {
  test.each([
    [0, "0s"],
    [-0, "0s"],
    [0.000_001, "1ns"],
    [0.000_999, "999ns"],
    [0.001, "1µs"],
    [0.001_5, "1.5µs"],
    [2.2, "2.2ms"],
    [250, "250ms"],
    [999.999_999, "999.999999ms"],
    [1_000, "1s"],
    [1_500, "1.5s"],
    [60_000, "1m0s"],
    [90_000, "1m30s"],
    [480_000.000_001, "8m0.000000001s"],
    [3_600_000, "1h0m0s"],
    [18_367_001, "5h6m7.001s"],
    [-1_500, "-1.5s"],
    [-250, "-250ms"],
    [-0.000_001, "-1ns"],
  ])("%d ms is %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
