import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseUnixSockets } from "../../src/processes/unix-sockets";
import { makeNode } from "../support/made-node";

const HEAD = "Num       RefCount Protocol Flags    Type St Inode Path\n";

test.each([
  ["/csi/csi.sock", "/csi/csi.sock"],
  ["/a path: with 00010000", "/a path: with 00010000"],
  ["csi.sock", "csi.sock"],
  ["/a\rb", "/a\rb"],
  ["/\u00c3\u00a4", "/ä"],
])("of who listens, the path is told: %j", (bytes, path) => {
  const table = `${HEAD}${row("12345", bytes)}\n`;
  expect(listeningIn(table)).toEqual([{ inode: "12345", path }]);
});

test.each([
  ["a connection", "00000000a3e14b01: 00000003 00000000 00000000 0001 03 12345 /csi/csi.sock"],
  ["an abstract name", "0000000000000000: 00000002 00000000 00010000 0001 01 12345 @/csi/csi.sock"],
  ["a socket without a name", "0000000000000000: 00000002 00000000 00010000 0001 01 12345"],
  ["datagrams", "0000000000000000: 00000002 00000000 00010000 0002 01 12345 /run/log"],
  ["packets in sequence", "0000000000000000: 00000002 00000000 00010000 0005 01 12345 /run/udev"],
  ["nothing", ""],
])("%s does not listen by a path", (_, line) => {
  expect(listeningIn(`${HEAD}${line}\n`)).toEqual([]);
});

test("a short inode is padded", () => {
  const table = `${HEAD}0000000000000000: 00000002 00000000 00010000 0001 01     7 /a`;
  expect(listeningIn(table)).toEqual([{ inode: "7", path: "/a" }]);
});

test("the kernel's own table is read", async () => {
  await using node = makeNode();
  await node.liveSocket("/csi.sock");
  const paths = listeningIn(readFileSync("/proc/self/net/unix", "latin1")).map(({ path }) => path);
  expect(paths).toContain(node.outer("/csi.sock"));
});

describe("the last row of a table", () => {
  const unnamed = row("5").slice(0, -1);
  const last = row("7", "/csi/csi.sock");
  // A line feed, and the row itself: so many bytes are left for the path that it may be a part of.
  const fits = 108 - 1 - last.length;

  test.each([
    ["is the kernel's own where it is the first", [], false],
    ["after a row without a path", [unnamed], false],
    ["after a path that is too long", [row("5", "x".repeat(fits + 1))], false],
    ["may be forged after a path that leaves room for it", [row("5", "x".repeat(fits))], true],
    ["after a path that begins with a line feed", [row("5", "")], true],
    ["after an abstract name", [row("5", "@x")], true],
    ["after a datagram socket's path", [row("5", "/run/log").replace("0001 01", "0002 01")], true],
    ["after more than one line feed", [row("5", "x"), "", "y"], true],
    ["after more line feeds than there is room for", [row("5", "x"), "y".repeat(fits)], false],
    ["after a row without a path that may be forged itself", [row("5", "x"), "0: 0 0 0 1 1 5"], true],
    ["after a row without a path, and that after a long one", [row("5", "x".repeat(fits)), unnamed], false],
  ])("%s", (_, before, mayBeForged) => {
    const rows = [...parseUnixSockets(`${HEAD}${[...before, last].join("\n")}\n`)];
    expect(rows.at(-1)).toMatchObject({ inode: "7", mayBeForged });
  });
});

function row(inode: string, path = ""): string {
  return `0000000000000000: 00000002 00000000 00010000 0001 01 ${inode.padStart(5)} ${path}`;
}

function listeningIn(table: string) {
  const listening = [...parseUnixSockets(table)].filter(({ isListening }) => isListening);
  return listening.map(({ inode, path }) => ({ inode, path }));
}
