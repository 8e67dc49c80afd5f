import { expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { pinSocket, type PinOutcome } from "../../src/node/pinned-socket";
import { makeNode, type MadeNode } from "../support/made-node";

test("a socket is connected to, though a link has taken its path since", async () => {
  await using node = makeNode();
  await node.liveSocket("/csi.sock");
  const pinned = pin(node);
  node.rename("/csi.sock", "/moved");
  node.link("/csi.sock", "/other.sock");
  node.staleSocket("/other.sock");
  expect(await connectTo(pinned)).toBe("connected");
});

test.each([
  ["a link", (node: MadeNode) => node.link("/csi.sock", "/moved")],
  ["another socket", (node: MadeNode) => node.liveSocket("/csi.sock")],
  ["nothing", () => undefined],
])("where %s has taken its path before, it is told", async (_, replace) => {
  await using node = makeNode();
  await node.liveSocket("/csi.sock");
  const fileId = fileIdOf(node);
  node.rename("/csi.sock", "/moved");
  await replace(node);
  const before = readdirSync("/proc/self/fd").length;
  expect(pinSocket(node.outer("/csi.sock"), fileId)).toEqual({ kind: "replaced" });
  expect(readdirSync("/proc/self/fd")).toHaveLength(before);
});

test("where another socket has the inode of the one that was seen, its birth tells", async () => {
  await using node = makeNode();
  await node.liveSocket("/csi.sock");
  const path = node.outer("/csi.sock");
  const { birthtimeNs } = statSync(path, { bigint: true });
  expect(pinSocket(path, fileIdOf(node), birthtimeNs - 1n)).toEqual({ kind: "replaced" });
  expect(await connectTo(pinSocket(path, fileIdOf(node), birthtimeNs))).toBe("connected");
});

test("where a directory of the path was replaced by a link, it is told", async () => {
  await using node = makeNode();
  await node.liveSocket("/a/csi.sock");
  const fileId = fileIdOf(node, "/a/csi.sock");
  node.rename("/a", "/moved/a");
  await node.liveSocket("/b/csi.sock");
  node.link("/a", "b");
  expect(pinSocket(node.outer("/a/csi.sock"), fileId)).toEqual({ kind: "replaced" });
});

test("a link in place of a directory is not followed to the socket that was seen through it", async () => {
  await using node = makeNode();
  await node.liveSocket("/secret/csi.sock");
  node.link("/a", "secret");
  const fileId = fileIdOf(node, "/a/csi.sock");
  expect(pinSocket(node.outer("/a/csi.sock"), fileId)).toEqual({ kind: "replaced" });
});

function pin(node: MadeNode): PinOutcome {
  return pinSocket(node.outer("/csi.sock"), fileIdOf(node));
}

function fileIdOf(node: MadeNode, path = "/csi.sock"): string {
  const { dev, ino } = statSync(node.outer(path), { bigint: true });
  return `${dev}:${ino}`;
}

async function connectTo(pinned: PinOutcome): Promise<string> {
  if (pinned.kind !== "pinned") return pinned.kind;
  using socket = pinned.socket;
  const { promise, resolve } = Promise.withResolvers<string>();
  const connection = connect({ path: socket.path });
  connection.once("connect", () => connection.destroy());
  connection.once("close", () => resolve("connected"));
  connection.once("error", (error) => resolve(error.message));
  return await promise;
}
