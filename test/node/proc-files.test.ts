import { describe, expect, test } from "bun:test";
import { openSync, closeSync } from "node:fs";
import { listPids, readLockedProcFile, readProcDirectory, readProcFile, readProcLink } from "../../src/node/proc-files";
import { makeNode } from "../support/made-node";
import { run } from "../support/made-node-mount";
import { asNobody } from "../support/made-node-process";

/** More than any machine has. */
const NO_PID = 2 ** 30;

describe("of a process that is there", () => {
  test("a file, a link and a directory are read", async () => {
    expect(readProcFile("/proc/self/comm")).toEqual({ kind: "read", value: expect.stringMatching(/.\n$/) });
    expect(readProcLink("/proc/self/cwd")).toEqual({ kind: "read", value: process.cwd() });
    expect(readProcDirectory("/proc/self/fd")).toMatchObject({
      kind: "read",
      value: expect.arrayContaining(["0", "1"]),
    });
    expect(await readLockedProcFile("/proc/self/cmdline", 1_000)).toMatchObject({ kind: "read" });
  });

  test("its id is listed, in order", () => {
    const pids = listPids("/proc");
    expect(pids).toContain(process.pid);
    expect(pids).toEqual(pids.toSorted((one, other) => one - other));
  });
});

test("a process that has ended is gone", async () => {
  expect(readProcFile(`/proc/${NO_PID}/comm`)).toEqual({ kind: "gone" });
  expect(await readLockedProcFile(`/proc/${NO_PID}/cmdline`, 1_000)).toEqual({ kind: "gone" });
});

test("without /proc there are no processes", () => {
  expect(listPids("/no/proc")).toEqual([]);
});

test("an error of another kind is told by its code", () => {
  expect(readProcFile("/proc/self")).toEqual({ kind: "failed", code: "EISDIR" });
});

test("a process that holds the lock for ever is given up on", async () => {
  await using node = makeNode();
  node.directory("/proc/1");
  const fifo = node.outer("/proc/1/cmdline");
  run("mkfifo", fifo);
  expect(await readLockedProcFile(fifo, 20)).toEqual({ kind: "failed", code: "ETIMEDOUT" });
  // Lets the thread go that still waits for somebody to write.
  closeSync(openSync(fifo, "w"));
});

test.if(process.getuid?.() === 0)("what another user may not read is not permitted", async () => {
  const script = `import { readProcDirectory, readProcLink } from "./src/node/proc-files";
    console.log(JSON.stringify([readProcLink("/proc/${process.pid}/root"), readProcDirectory("/proc/${process.pid}/fd")]));`;
  expect(JSON.parse(await asNobody(script))).toEqual([{ kind: "notPermitted" }, { kind: "notPermitted" }]);
});
