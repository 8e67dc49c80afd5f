import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ConfigError, errorCode, errorText } from "../../src/base/errors";

test("flags that cannot work are exit code 1", () => {
  const error = new ConfigError("--csi-address must not be empty");
  expect({ name: error.name, exitCode: error.exitCode }).toEqual({ name: "ConfigError", exitCode: 1 });
});

describe("the code of what was thrown", () => {
  test("a failed system call has its errno's name", () => {
    expect(errorCode(thrownBy(() => readFileSync("/nonexistent/file")))).toBe("ENOENT");
  });

  test.each([
    ["an error without a code", new Error("plain")],
    ["a code that is a number, as gRPC's are", Object.assign(new Error("rpc"), { code: 14 })],
    ["a text", "ENOENT"],
    ["null", null],
    ["undefined", undefined],
  ])("%s has none", (_, thrown) => {
    expect(errorCode(thrown)).toBeUndefined();
  });
});

test.each([
  ["an error", new Error("no such thing"), "no such thing"],
  ["an error with a code and no message", Object.assign(new Error(""), { code: "ECONNRESET" }), "ECONNRESET"],
  ["an error with nothing but a name", new TypeError(""), "TypeError"],
  ["a text", "thrown bare", "thrown bare"],
  ["undefined", undefined, "undefined"],
  ["a symbol", Symbol("x"), "Symbol(x)"],
  [
    "an object that cannot be made a string",
    Object.assign(Object.create(null), { a: 1 }),
    "[Object: null prototype] { a: 1 }",
  ],
])("%s in words", (_, thrown: unknown, text) => {
  expect(errorText(thrown)).toBe(text);
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
