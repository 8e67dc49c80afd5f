import { expect, test } from "bun:test";
import { writeWhole, writeWholeOrDrop } from "../src/write-whole";

test("a text is written whole, in pieces as they are taken, and again where a pipe is full", () => {
  const taken: string[] = [];
  let calls = 0;
  writeWhole(1, "grüße, and more", (_, bytes) => {
    calls += 1;
    if (calls % 2 === 0) throw Object.assign(new Error("full"), { code: "EAGAIN" });
    const piece = bytes.subarray(0, 4);
    taken.push(Buffer.from(piece).toString("latin1"));
    return piece.length;
  });
  expect(Buffer.from(taken.join(""), "latin1").toString()).toBe("grüße, and more");
  expect(taken.length).toBeGreaterThan(3);
});

test("where nobody reads, the rest is dropped", () => {
  let calls = 0;
  writeWhole(1, "more", () => {
    calls += 1;
    throw Object.assign(new Error("gone"), { code: "EPIPE" });
  });
  expect(calls).toBe(1);
});

test("any other error is told of standard output, and dropped of standard error", () => {
  expect(() => writeWhole(1, "more", full)).toThrow("no space");
  expect(() => writeWholeOrDrop(2, "more", full)).not.toThrow();
});

function full(): never {
  throw Object.assign(new Error("no space"), { code: "ENOSPC" });
}
