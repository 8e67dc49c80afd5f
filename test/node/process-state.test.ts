import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseProcessStat } from "../../src/node/process-state";

const AFTER = "1 1 1 0 -1 4194560 100 0 0 0 5 3 0 0 20 0 1 0 123456 1000 10 18446744073709551615";

test.each([
  ["R", "running"],
  ["S", "sleeping"],
  ["D", "uninterruptible"],
  ["T", "stopped"],
  ["t", "stopped by a debugger"],
  ["Z", "zombie"],
  ["?", "unknown"],
])("%s stands for %s", (letter, word) => {
  expect(parseProcessStat(`7 (driver) ${letter} ${AFTER}`)).toEqual({
    state: { letter, word },
    startedMs: 1_234_560,
    isKernelThread: false,
  });
});

test.each(["a b", "a) S 1", ") D (", ""])("a process may be called %j", (name) => {
  expect(parseProcessStat(`7 (${name}) T ${AFTER}`)?.state.letter).toBe("T");
});

test.each(["", "7", "7 (driver)", "7 (driver) S 1 2 3"])("%j is no stat", (text) => {
  expect(parseProcessStat(text)).toBeUndefined();
});

test.each([
  ["a thread of the kernel's", "0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 2 0 0", true],
  ["a process that took its name", AFTER, false],
])("%s is told from its name", (_, after, isKernelThread) => {
  expect(parseProcessStat(`2 (kthreadd) S ${after}`)).toMatchObject({ isKernelThread });
});

test("the kernel's own is read", () => {
  expect(parseProcessStat(readFileSync("/proc/self/stat", "utf8"))).toEqual({
    state: { letter: expect.stringMatching(/^[RS]$/), word: expect.any(String) },
    startedMs: expect.any(Number),
    isKernelThread: false,
  });
});
