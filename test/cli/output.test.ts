import { expect, test } from "bun:test";
import { createOutput, STDERR, STDOUT } from "../../src/cli/output";

test("texts are written whole and in order, in pieces as they are taken, and again where a pipe is full", async () => {
  const taken: Uint8Array[] = [];
  let calls = 0;
  const output = createOutput(async (_, bytes) => {
    calls += 1;
    if (calls % 2 === 0) throw failure("EAGAIN");
    taken.push(bytes.slice(0, 4));
    return { bytesWritten: Math.min(4, bytes.length) };
  });
  output.write(STDOUT, "grüße, ");
  output.write(STDERR, "and more");
  await output.written();
  expect(Buffer.concat(taken).toString()).toBe("grüße, and more");
  expect(taken.length).toBeGreaterThan(3);
});

test("where nobody reads, the rest is dropped", async () => {
  let calls = 0;
  const output = createOutput(async () => {
    calls += 1;
    throw failure("EPIPE");
  });
  output.write(STDOUT, "more");
  await output.written();
  expect(calls).toBe(1);
});

test("any other error of standard output is told, and none of standard error", async () => {
  const output = createOutput(async () => {
    throw failure("ENOSPC");
  });
  output.write(STDERR, "more");
  await output.written();
  output.write(STDOUT, "more");
  output.write(STDERR, "more");
  await expect(output.written()).rejects.toThrow("ENOSPC");
});

test("nothing is written after it was closed", async () => {
  const texts: string[] = [];
  const output = createOutput(async (_, bytes) => {
    texts.push(Buffer.from(bytes).toString());
    return { bytesWritten: bytes.length };
  });
  output.write(STDOUT, "before");
  output.close();
  output.write(STDOUT, "after");
  await output.written();
  expect(texts).toEqual(["before"]);
});

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
