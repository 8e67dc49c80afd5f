import { expect, test } from "bun:test";
import { renderDocument } from "../../src/terminal/document";

const HEAD = '{\n  "apiVersion": "livenessprobe/v1",\n  "kind": "DriverList"';

test.each([
  ["nothing more", {}, ""],
  ["text and numbers", { a: "x", b: 1.5 }, ',\n  "a": "x",\n  "b": 1.5'],
  ["lists", { a: ["x"] }, ',\n  "a": [\n    "x"\n  ]'],
  ["members that are undefined, which are left out", { a: undefined }, ""],
  ["letters and emoji", { a: "é日😀" }, ',\n  "a": "é日😀"'],
  ["what could steer a terminal", { a: "\u001b\u007f\u009b\n\u202e" }, ',\n  "a": "\\u001b\\u007f\\u009b\\n\\u202e"'],
  ["a name that could", { "\u009b": 1 }, ',\n  "\\u009b": 1'],
  ["what is not printable beyond 16 bits", { a: "\u{e0001}" }, ',\n  "a": "\\udb40\\udc01"'],
  ["a lone surrogate, which other parsers refuse", { a: "\ud800" }, ',\n  "a": "\ufffd"'],
])("a document of %s", (_, members, text) => {
  expect(renderDocument("DriverList", members)).toBe(`${HEAD}${text}\n}\n`);
});
