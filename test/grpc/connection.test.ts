import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openConnection, type ConnectOutcome } from "../../src/grpc/connection";
import { Deadline } from "../../src/base/deadline";
import { startDriver } from "../support/drivers";
import type { HostileName } from "../support/hostile-behaviours";
import { startHostileDriver } from "../support/hostile-driver";
import { ownSockets } from "../support/own-fds";
import { createSocketCase, type SocketCaseName } from "../support/socket-cases";
import { temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "../support/wait";

const TIMEOUT_MS = 2_000;
/** For what ends by no other way than the timeout. */
const SHORT_MS = 100;

describe("a driver that", () => {
  test.each<[HostileName, ConnectOutcome["kind"], number]>([
    ["answers ready (right)", "connected", TIMEOUT_MS],
    ["takes the request and never answers", "connected", TIMEOUT_MS],
    ["sends SETTINGS that allow no streams", "connected", TIMEOUT_MS],
    ["accepts and never answers", "silent", SHORT_MS],
    ["sends half of its SETTINGS", "silent", SHORT_MS],
    ["accepts and closes at once", "closed", TIMEOUT_MS],
    ["accepts and drops the connection", "closed", TIMEOUT_MS],
    ["speaks TLS", "closed", TIMEOUT_MS],
    ["speaks HTTP/1.1", "notHttp2", TIMEOUT_MS],
    ["sends garbage", "notHttp2", TIMEOUT_MS],
    ["sends garbage without end", "notHttp2", TIMEOUT_MS],
    ["greets first, as SSH does", "notHttp2", TIMEOUT_MS],
    ["sends SETTINGS that are forbidden", "notHttp2", TIMEOUT_MS],
  ])("%s: %s", async (name, kind, timeoutMs) => {
    await using driver = await startHostileDriver(name);
    expect(await open(driver.socketPath, timeoutMs)).toEqual({ kind });
    await waitUntil(() => driver.connections.open === 0, "the driver to see the connection's end");
    expect(driver.connections.total).toBe(1);
  });
});

describe("a path with", () => {
  // To connect(2), the loop is ELOOP and the full backlog EAGAIN; Bun knows only what is in these rows.
  test.each<[SocketCaseName, string]>([
    ["a missing file", "ENOENT"],
    ["a missing directory", "ENOENT"],
    ["a regular file", "ECONNREFUSED"],
    ["a directory", "ECONNREFUSED"],
    ["a dangling symlink", "ENOENT"],
    ["a symlink loop", "ECONNREFUSED"],
    ["a stale socket", "ECONNREFUSED"],
    ["a socket whose backlog is full", "ECONNREFUSED"],
  ])("%s refuses: %s", async (name, code) => {
    await using place = await createSocketCase(name);
    expect(await open(place.path, SHORT_MS)).toEqual({ kind: "refused", code });
  });

  test.each<[SocketCaseName]>([["a socket that nobody accepts from"], ["a symlink to a driver's socket"]])(
    "%s, and no answer, is silent",
    async (name) => {
      await using place = await createSocketCase(name);
      expect(await open(place.path, SHORT_MS)).toEqual({ kind: "silent" });
    },
  );
});

test.each<[string, HostileName, number]>([
  ["that is up", "answers ready (right)", TIMEOUT_MS],
  ["that never came up", "accepts and never answers", 20],
  ["that made no sense", "sends garbage without end", TIMEOUT_MS],
  ["that the driver closed", "accepts and drops the connection", TIMEOUT_MS],
])("200 connections one after the other, each one %s, leave no socket behind", async (_, name, timeoutMs) => {
  await using driver = await startHostileDriver(name);
  const before = ownSockets();
  for (let round = 0; round < 200; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
    await open(driver.socketPath, timeoutMs);
  }
  await waitUntil(
    () => ownSockets() === before,
    () => `${before} sockets, there are ${ownSockets()}`,
  );
  expect(driver.connections.total).toBe(200);
});

test.each<[string, HostileName]>([
  ["closes it", "closes after SETTINGS"],
  ["sends GOAWAY", "sends GOAWAY after SETTINGS"],
])("a connection tells once that it is lost, when the driver %s", async (_, name) => {
  await using driver = await startHostileDriver(name);
  const deadline = new Deadline(TIMEOUT_MS);
  const outcome = await openConnection(driver.socketPath, deadline);
  deadline.clear();
  if (outcome.kind !== "connected") throw new Error(`not connected but ${outcome.kind}`);
  let losses = 0;
  outcome.connection.onLost(() => (losses += 1));
  await waitUntil(() => losses > 0, "the loss");
  outcome.connection.close();
  await waitUntil(() => driver.connections.open === 0, "the driver to see the connection's end");
  expect(losses).toBe(1);
});

test("a driver in another process that drops each connection has closed it, and whether it resets it is no matter", async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "csi.sock");
  const program = `
    import { createServer } from "node:net";
    createServer((socket) => void socket.destroy()).listen(${JSON.stringify(path)});
  `;
  const driver = Bun.spawn([process.execPath, "-e", program], { env: {} });
  try {
    await waitUntil(() => existsSync(path), "the driver");
    const outcomes = await Promise.all(Array.from({ length: 300 }, () => open(path, TIMEOUT_MS)));
    expect(outcomes.filter((outcome) => !Bun.deepEquals(outcome, { kind: "closed" }))).toEqual([]);
  } finally {
    driver.kill();
    await driver.exited;
  }
});

describe("the success of connect(2) is told,", () => {
  test.each<[HostileName, ConnectOutcome["kind"]]>([
    ["answers ready (right)", "connected"],
    ["accepts and never answers", "silent"],
    ["speaks HTTP/1.1", "notHttp2"],
  ])("once, of a driver that %s: %s", async (name, kind) => {
    await using driver = await startHostileDriver(name);
    expect(await openAndTell(driver.socketPath)).toEqual({ kind, connects: 1 });
  });

  test.each<[SocketCaseName]>([["a missing file"], ["a stale socket"]])("but not of %s", async (name) => {
    await using place = await createSocketCase(name);
    expect(await openAndTell(place.path)).toEqual({ kind: "refused", connects: 0 });
  });
});

test("a connection that we close ourselves is not lost, and may be closed again", async () => {
  await using driver = await startHostileDriver("answers ready (right)");
  const deadline = new Deadline(TIMEOUT_MS);
  const outcome = await openConnection(driver.socketPath, deadline);
  deadline.clear();
  if (outcome.kind !== "connected") throw new Error(`not connected but ${outcome.kind}`);
  let losses = 0;
  outcome.connection.onLost(() => (losses += 1));
  outcome.connection.close();
  outcome.connection.close();
  await waitUntil(() => driver.connections.open === 0, "the driver to see the connection's end");
  expect(losses).toBe(0);
});

test("a driver that is stopped takes the connection and is silent", async () => {
  await using driver = await startDriver("grpc-js");
  await driver.pause();
  expect(await open(driver.socketPath, SHORT_MS)).toEqual({ kind: "silent" });
  driver.resume();
  expect(await open(driver.socketPath, TIMEOUT_MS)).toEqual({ kind: "connected" });
});

/** What came of a connection, which is closed. */
async function open(path: string, timeoutMs: number): Promise<object> {
  const deadline = new Deadline(timeoutMs);
  const outcome = await openConnection(path, deadline);
  deadline.clear();
  if (outcome.kind !== "connected") return outcome;
  outcome.connection.close();
  return { kind: outcome.kind };
}

async function openAndTell(path: string): Promise<{ kind: ConnectOutcome["kind"]; connects: number }> {
  let connects = 0;
  const deadline = new Deadline(SHORT_MS);
  const outcome = await openConnection(path, deadline, () => (connects += 1));
  deadline.clear();
  if (outcome.kind === "connected") outcome.connection.close();
  return { kind: outcome.kind, connects };
}
