import { describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { readLink, valueOf } from "../../src/base/reads";
import { createFileFinder, listPids, readArgv } from "../../src/processes/proc-files";
import { makeNode } from "../support/made-node";
import { startPython } from "../support/made-node-process";
import { usable } from "../support/usable";
import { waitUntil } from "../support/wait";

describe("processes", () => {
  test("are listed by rising id", () => {
    const pids = listPids("/proc");
    expect(pids).toContain(process.pid);
    expect(pids).toEqual(pids.toSorted((one, other) => one - other));
  });

  test("are told from what else is in /proc", async () => {
    await using node = makeNode();
    for (const name of ["10", "9", "self", "1a", "tty"]) node.directory(`/proc/${name}`);
    expect(listPids(node.outer("/proc"))).toEqual([9, 10]);
  });

  test("are none without /proc", () => {
    expect(listPids("/no/proc")).toEqual([]);
  });
});

describe("arguments", () => {
  test.each([
    ["a\0b\0", ["a", "b"]],
    ["a\0\0", ["a", ""]],
    ["", []],
    ["one that has written over its arguments", ["one that has written over its arguments"]],
  ])("are the words of %j", async (text, argv) => {
    await using node = makeNode();
    node.file("/proc/7/cmdline", text);
    expect(await readArgv(node.outer("/proc"), 7, 1_000)).toEqual(argv);
  });

  test("are those of a real process", async () => {
    await using child = await startPython('import sys; print("ready", flush=True); sys.stdin.read()', ["a b", "", "ä"]);
    expect(await readArgv("/proc", child.pid, 1_000)).toEqual([
      expect.stringMatching(/python/),
      "-c",
      expect.any(String),
      "a b",
      "",
      "ä",
    ]);
  });

  test("of a process that has ended are none", async () => {
    expect(await readArgv("/proc", 2 ** 30, 1_000)).toEqual([]);
  });

  test("of a process that hangs with the lock held are given up on", async () => {
    await using node = makeNode();
    node.fifo("/proc/7/cmdline");
    expect(await readArgv(node.outer("/proc"), 7, 20)).toEqual([]);
  });
});

// Goes into a user namespace of its own, and a mount namespace, once the file is there that it is told.
const UNSHARE_LATER = `
import ctypes, os, sys, time
print("ready", flush=True)
while not os.path.exists(sys.argv[1]): time.sleep(0.005)
assert ctypes.CDLL(None).unshare(0x10000000 | 0x00020000) == 0
sys.stdin.read()
`;

describe.if(usable("a user namespace", ["unshare", "--user", "--mount", "true"]))("what a path leads to", () => {
  test("is not looked at for a process that has got a user namespace of its own since", async () => {
    await using node = makeNode();
    for (const name of ["/before", "/after"]) node.file(name);
    await using child = await startPython(UNSHARE_LATER, [node.outer("/now")]);
    const find = createFileFinder("/proc", child.pid);
    expect(find(node.outer("/before"))).toMatchObject({ kind: "found" });
    node.file("/now");
    await waitUntil(() => namespaceOf(child.pid) !== namespaceOf("self"), "the process to have its own user namespace");
    expect(find(node.outer("/after"))).toMatchObject({ kind: "offLimits" });
  });

  test("is not looked at for a process with a user namespace of its own, nor is its table of mounts", async () => {
    await using node = makeNode();
    node.link("/proc/1/ns/user", "user:[1]");
    expect(createFileFinder(node.outer("/proc"), 1)("/csi/csi.sock")).toEqual({ kind: "offLimits" });
  });

  test("is found, and no root stays held", async () => {
    await using node = makeNode();
    node.file("/a");
    await using child = await startPython('import sys; print("ready", flush=True); sys.stdin.read()');
    expect(createFileFinder("/proc", child.pid)(node.outer("/a"))).toMatchObject({ kind: "found" });
    const held = readdirSync("/proc/self/fd").map((fd) => valueOf(readLink(`/proc/self/fd/${fd}`)));
    expect(held).not.toContain("/");
  });
});

function namespaceOf(pid: number | string): string {
  return readlinkSync(`/proc/${pid}/ns/user`);
}
