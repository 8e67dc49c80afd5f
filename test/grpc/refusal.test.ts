import { describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { openConnection, type ConnectOutcome } from "../../src/grpc/connection";
import { explainRefusal } from "../../src/grpc/refusal";
import { Deadline } from "../../src/base/deadline";
import { createSocketCase, type SocketCaseName } from "../support/socket-cases";
import { temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "../support/wait";

const TIMEOUT_MS = 60_000;
const REFUSED: ConnectOutcome = { kind: "refused", code: "ECONNREFUSED" };

describe("a refused connection is told by the code of connect(2):", () => {
  test.each<[SocketCaseName, string]>([
    ["a stale socket", "ECONNREFUSED"],
    ["a socket whose backlog is full", "EAGAIN"],
    ["a datagram socket", "EPROTOTYPE"],
    ["a missing file", "ENOENT"],
    ["a regular file", "ECONNREFUSED"],
  ])("%s is %s", async (name, code) => {
    await using place = await createSocketCase(name);
    const deadline = new Deadline(TIMEOUT_MS);
    const outcome = await openConnection(place.path, deadline);
    deadline.clear();
    expect(await explainRefusal(outcome, place.path)).toEqual({ kind: "refused", code });
  });
});

test.each<[string, (socket: Socket) => void]>([
  ["says nothing", (socket) => void socket.on("error", () => {})],
  ["closes it", (socket) => void socket.on("error", () => {}).destroy()],
  ["answers in HTTP/1.1", (socket) => void socket.on("error", () => {}).write("HTTP/1.1 200 OK\r\n\r\n")],
])("a driver that takes connections by now and %s sees one, which is closed again", async (_, onConnection) => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "csi.sock");
  const sockets = new Set<Socket>();
  let taken = 0;
  const server = createServer((socket) => {
    taken += 1;
    sockets.add(socket);
    socket.resume().once("close", () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  expect(await explainRefusal(REFUSED, path)).toEqual(REFUSED);
  await waitUntil(() => sockets.size === 0, "the connection to be closed");
  expect(taken).toBe(1);
  server.close();
});

test.each<ConnectOutcome>([
  { kind: "refused", code: "ENOENT" },
  { kind: "refused", code: "EMFILE" },
  { kind: "closed" },
  { kind: "silent" },
])("%j stays as it is, and nothing is tried", async (outcome) => {
  await using place = await createSocketCase("a socket whose backlog is full");
  expect(await explainRefusal(outcome, place.path)).toEqual(outcome);
});
