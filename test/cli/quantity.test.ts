import { expect, test } from "bun:test";
import { parseQuantity } from "../../src/cli/quantity";

test.each([
  ["0", 0],
  ["512", 512],
  ["01", 1],
  ["0.5", 0.5],
  [".5Ki", 512],
  ["1.", 1],
  ["1.G", 1e9],
  ["100m", 0.1],
  ["1u", 1e-6],
  ["1n", 1e-9],
  ["1k", 1_000],
  ["1M", 1e6],
  ["1T", 1e12],
  ["1P", 1e15],
  ["1E", 1e18],
  ["2Ki", 2_048],
  ["+1Mi", 1_048_576],
  ["1Gi", 1_073_741_824],
  ["1Ti", 1_099_511_627_776],
  ["1Pi", 1_125_899_906_842_624],
  ["1Ei", 1_152_921_504_606_846_976],
  ["1e3", 1_000],
  ["1E+3", 1_000],
  ["1e-3", 0.001],
  ["1e0003", 1_000],
  ["-1k", -1_000],
  ["-.5", -0.5],
  ["k", 0],
  ["-", 0],
  [".", 0],
])("%s is %d", (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});

test.each([
  ["nothing", ""],
  ["kilo in capitals", "1K"],
  ["a binary kilo that is small", "1ki"],
  ["bytes spelt out", "1KiB"],
  ["half a binary suffix", "1i"],
  ["two suffixes", "1e3k"],
  ["an exponent without digits", "1e"],
  ["an exponent that is a sign", "1e+"],
  ["an exponent with a point", "1e1.5"],
  ["exa and an exponent", "1EE"],
  ["two points", "1.2.3"],
  ["two signs", "--1"],
  ["a space", "1 k"],
  ["a newline behind", "1\n"],
  ["a comma", "1,000"],
  ["hexadecimal digits", "0x10"],
  ["a word", "abc"],
  ["a number beyond a double", "1e999"],
])("%s is refused", (_, text) => {
  expect(parseQuantity(text)).toBeUndefined();
});
