import { expect, test } from "bun:test";
import {
  cutToWidth,
  formatElapsed,
  padToWidth,
  paint,
  tenths,
  wrapToWidth,
  wrapWords,
} from "../../src/terminal/layout";

test.each([
  ["letters", "ab", "ab  "],
  ["ideographs take two columns", "日", "日  "],
  ["emoji take two", "😀", "😀  "],
  ["a mark takes none", "e\u0301", "e\u0301   "],
  ["a colour takes none", "\u001b[32mab\u001b[39m", "\u001b[32mab\u001b[39m  "],
  ["what is wider stays", "abcdef", "abcdef"],
])("filled up to four columns: %s", (_, text, padded) => {
  expect(padToWidth(text, 4)).toBe(padded);
});

test.each([
  ["what fits", "abcd", "abcd"],
  ["what does not", "abcde", "abc…"],
  ["half an ideograph is none", "日本語", "日…"],
  ["nothing", "", ""],
])("cut to four columns: %s", (_, text, cut) => {
  expect(cutToWidth(text, 4)).toBe(cut);
});

test("to no width nothing is cut", () => {
  expect(cutToWidth("a".repeat(1_000), Infinity)).toBe("a".repeat(1_000));
});

test.each([
  ["what fits", "one two", ["one two"]],
  ["at spaces", "one two three four", ["one two", "three", "four"]],
  ["a long word has a line of its own, unbroken", "a /very/long/path b", ["a", "/very/long/path", "b"]],
  ["ideographs take two columns", "日本 語 語", ["日本 語", "語"]],
  ["spaces between words stay within a line", "a   b", ["a   b"]],
  ["spaces at a break go", "one two   three", ["one two", "three"]],
  ["however many", `one${" ".repeat(100)}two`, ["one", "two"]],
  ["spaces at the ends go", "  one    ", ["one"]],
  ["nothing", "", [""]],
])("wrapped at eight columns: %s", (_, text, lines) => {
  expect(wrapWords(text, 8)).toEqual(lines);
});

test.each([
  ["green", "\u001b[32mx\u001b[39m"],
  ["yellow", "\u001b[33mx\u001b[39m"],
  ["red", "\u001b[31mx\u001b[39m"],
  ["dim", "\u001b[2mx\u001b[22m"],
  ["none", "x"],
] as const)("painted %s, whatever NO_COLOR and the streams of this process say", (colour, painted) => {
  expect(paint("x", colour)).toBe(painted);
});

test.each([
  ["what fits", "one two", ["one two"]],
  ["a long word is broken", "a bcdefghijk l", ["a", "bcdefghi", "jk", "l"]],
  ["after a separator in its second half", "/abcd/efghij", ["/abcd/", "efghij"]],
  ["and not in its first", "/a/bcdefghij", ["/a/bcdef", "ghij"]],
  ["ideographs take two columns", "日本語日本語", ["日本語日", "本語"]],
])("wrapped to eight columns and no more: %s", (_, text, lines) => {
  expect(wrapToWidth(text, 8)).toEqual(lines);
});

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
