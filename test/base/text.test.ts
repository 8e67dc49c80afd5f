import { describe, expect, test } from "bun:test";
import { escapeLines, escapeUnprintable, jsonText, oneLine, quote } from "../../src/base/text";
import { paint } from "../../src/terminal/layout";

describe("quoting as Go does", () => {
  test.each([
    ["nothing", "", '""'],
    ["plain text", "it's plain (text)", `"it's plain (text)"`],
    ["quotes and backslashes", 'a"b\\c', String.raw`"a\"b\\c"`],
    ["characters that have a name", "\u0007\b\f\n\r\t\v", String.raw`"\a\b\f\n\r\t\v"`],
    ["other control characters", "\0\u001b\u007f", String.raw`"\x00\x1b\x7f"`],
    ["C1 controls, no-break space, soft hyphen", "\u0080\u009b\u00a0\u00ad", String.raw`"\u0080\u009b\u00a0\u00ad"`],
    ["what turns, breaks or hides text", "\u200b\u2028\u202e\ufeff", String.raw`"\u200b\u2028\u202e\ufeff"`],
    ["private and unassigned characters", "\ue000\u0378\uffff", String.raw`"\ue000\u0378\uffff"`],
    ["unprintable characters beyond 16 bits", "\u{e0001}\u{10ffff}", String.raw`"\U000e0001\U0010ffff"`],
    ["letters, marks, ideographs, emoji", "é e\u0301 日本 😀", '"é e\u0301 日本 😀"'],
    ["a wide space", "\u3000", String.raw`"\u3000"`],
    ["the replacement character", "\ufffd", '"\ufffd"'],
    ["lone surrogates", "a\ud800b\udc00", String.raw`"a\ufffdb\ufffd"`],
  ])("%s", (_, text, quoted) => {
    expect(quote(text)).toBe(quoted);
  });
});

test("escaping leaves quotes and backslashes alone", () => {
  expect(escapeUnprintable('"C:\\x"\n\u001b[2J\u202e')).toBe(String.raw`"C:\x"\n\x1b[2J\u202e`);
});

describe("one line of at most so many bytes", () => {
  test.each([
    ["what fits is left", "ready", 5, "ready"],
    ["what does not fit is cut", "not ready", 8, "not r…"],
    ["an escape counts as it is written", "a\nb", 4, String.raw`a\nb`],
    ["an escape is never cut", "ab\u001bcd", 7, "ab…"],
    ["an escape that just fits before the cut stays", "a\u001bbcdef", 8, "a\\x1b…"],
    ["a character of two bytes is never cut", "ééééé", 8, "éé…"],
    ["a character of four bytes is never cut", "a😀😀", 8, "a😀…"],
    ["bytes count, not characters", "😀😀", 8, "😀😀"],
    ["room for the ellipsis alone", "abcd", 3, "…"],
    ["no room for the ellipsis", "abcd", 2, ""],
    ["nothing", "", 0, ""],
  ])("%s", (_, text, maxBytes, line) => {
    expect(oneLine(text, maxBytes)).toBe(line);
  });

  test("never takes more than its limit, wherever it falls", () => {
    const text = 'a"é\n日\u202e😀\u{e0001}\ud800\\';
    const tooLong = Array.from({ length: 80 }, (_, maxBytes) => maxBytes).filter(
      (maxBytes) => Buffer.byteLength(oneLine(text, maxBytes)) > maxBytes,
    );
    expect(tooLong).toEqual([]);
  });

  test("looks at no more of a long text than it needs", () => {
    let seen = 0;
    const text = {
      *[Symbol.iterator]() {
        for (; seen < 65_536; seen += 1) yield "\u001b";
      },
    };
    // Stands in for a string, so that what is read of it can be counted: oneLine does nothing but iterate.
    expect(oneLine(text as unknown as string, 256)).toBe(`${"\\x1b".repeat(63)}…`);
    expect(seen).toBe(64);
  });
});

test.each([
  ["plain values", { b: 1, a: "<&>", n: null, on: true }, '{"b":1,"a":"<&>","n":null,"on":true}'],
  ["newlines", ["one\ntwo"], String.raw`["one\ntwo"]`],
  ["what could steer a terminal", ["\u001b\u007f\u009b\u2028\u202e"], String.raw`["\u001b\u007f\u009b\u2028\u202e"]`],
  ["a pair of surrogates that is not printable", ["\u{e0001}"], String.raw`["\udb40\udc01"]`],
  ["a lone surrogate", ["a\ud800b"], '["a\ufffdb"]'],
  ["letters and emoji", ["é日😀"], '["é日😀"]'],
])("JSON of %s", (_, value, json) => {
  expect(jsonText(value)).toBe(json);
});

describe("of what is written", () => {
  const colours = (["green", "yellow", "red", "dim"] as const).map((colour) => paint(colour, colour)).join(" ");
  test.each([
    ["lines stay", "one\ntwo\n", "one\ntwo\n", "one\ntwo\n"],
    ["colours stay in a terminal", colours, colours, colours.replaceAll("\u001b", "\\x1b")],
    [
      "no other sequence does",
      "\u001b[2J\u001b[1m\u001b]0;a",
      "\\x1b[2J\\x1b[1m\\x1b]0;a",
      "\\x1b[2J\\x1b[1m\\x1b]0;a",
    ],
    ["a progress line stays in a terminal", "\rasked\r", "\rasked\r", "\\rasked\\r"],
    ["a carriage return within a line goes", "failed\rready\n", "failed\\rready\n", "failed\\rready\n"],
    ["text that turns around goes", "\u202egnp", "\\u202egnp", "\\u202egnp"],
  ])("%s", (_, text, inTerminal, elsewhere) => {
    expect([escapeLines(text, true), escapeLines(text, false)]).toEqual([inTerminal, elsewhere]);
  });
});
