import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseUnixSockets } from "../../src/node/unix-sockets";
import { makeNode } from "../support/made-node";

const HEAD = "Num       RefCount Protocol Flags    Type St Inode Path\n";

test.each([
  ["/csi/csi.sock", "/csi/csi.sock"],
  ["/a path: with 00010000", "/a path: with 00010000"],
  ["csi.sock", "csi.sock"],
])("of who listens, the path is told: %s", (text, path) => {
  const table = `${HEAD}0000000000000000: 00000002 00000000 00010000 0001 01 12345 ${text}\n`;
  expect(parseUnixSockets(table)).toEqual([{ inode: "12345", path }]);
});

test.each([
  ["a connection", "00000000a3e14b01: 00000003 00000000 00000000 0001 03 12345 /csi/csi.sock"],
  ["an abstract name", "0000000000000000: 00000002 00000000 00010000 0001 01 12345 @/csi/csi.sock"],
  ["a socket without a name", "0000000000000000: 00000002 00000000 00010000 0001 01 12345"],
  ["datagrams", "0000000000000000: 00000002 00000000 00010000 0002 01 12345 /run/log"],
  ["packets in sequence", "0000000000000000: 00000002 00000000 00010000 0005 01 12345 /run/udev"],
  ["nothing", ""],
])("%s does not count", (_, line) => {
  expect(parseUnixSockets(`${HEAD}${line}\n`)).toEqual([]);
});

test("a short inode is padded", () => {
  const table = `${HEAD}0000000000000000: 00000002 00000000 00010000 0001 01     7 /a`;
  expect(parseUnixSockets(table)).toEqual([{ inode: "7", path: "/a" }]);
});

test("the kernel's own table is read", async () => {
  await using node = makeNode();
  await node.liveSocket("/csi.sock");
  const paths = parseUnixSockets(readFileSync("/proc/self/net/unix", "utf8")).map(({ path }) => path);
  expect(paths).toContain(node.outer("/csi.sock"));
});
