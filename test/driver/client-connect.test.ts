import { describe, expect, test } from "bun:test";
import { renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { callOnce, type ClientOptions, openClient } from "../../src/driver/client";
import { PROBE } from "../../src/driver/messages";
import { startAllowListDriver } from "../support/allow-list-driver";
import type { HostileName } from "../support/hostile-behaviours";
import { startHostileDriver } from "../support/hostile-driver";
import { startRecordingDriver } from "../support/recording-driver";
import { createSocketCase, type SocketCaseName } from "../support/socket-cases";
import { temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "../support/wait";

const TIMEOUT_MS = 2_000;
/** For what ends by no other way than the timeout. */
const SHORT_MS = 200;

describe("without retries, connecting ends at once, over one connection:", () => {
  test.each<[SocketCaseName, string]>([
    ["a missing file", "ENOENT"],
    ["a regular file", "ECONNREFUSED"],
    ["a stale socket", "ECONNREFUSED"],
    ["a socket whose backlog is full", "EAGAIN"],
  ])("%s refuses with %s", async (name, code) => {
    await using place = await createSocketCase(name);
    expect(await openClient(optionsOf(place.path, { timeoutMs: 60_000 }))).toEqual({
      kind: "noConnection",
      failure: { kind: "refused", code },
      elapsedMs: expect.any(Number),
      connectMs: undefined,
    });
  });

  test.each<[HostileName, string, number]>([
    ["accepts and never answers", "silent", SHORT_MS],
    ["accepts and closes at once", "closed", TIMEOUT_MS],
    ["speaks HTTP/1.1", "notHttp2", TIMEOUT_MS],
    ["greets first, as SSH does", "notHttp2", TIMEOUT_MS],
  ])("what %s ends after connect(2): %s", async (name, kind, timeoutMs) => {
    await using driver = await startHostileDriver(name);
    const outcome = await openClient(optionsOf(driver.socketPath, { timeoutMs }));
    expect(outcome).toMatchObject({ kind: "noConnection", failure: { kind }, connectMs: expect.any(Number) });
    await waitUntil(() => driver.connections.open === 0, "the driver to see the connection's end");
    expect(driver.connections.total).toBe(1);
  });
});

describe("with retries, connecting goes on until the deadline:", () => {
  test.each<[string, HostileName, string]>([
    ["a driver that closes each connection", "accepts and drops the connection", "closed"],
    ["one that speaks no HTTP/2", "greets first, as SSH does", "notHttp2"],
  ])("%s is tried again a second later", async (_, name, kind) => {
    await using driver = await startHostileDriver(name);
    const { outcome, timing } = await probe(driver.socketPath, { timeoutMs: 1_300, retryConnect: true });
    expect(outcome).toMatchObject({ kind: "noConnection", failure: { kind } });
    expect(driver.connections).toMatchObject({ total: 2, maxOpen: 1 });
    expect(timing.elapsedMs).toBeGreaterThan(1_298);
  });

  test.each<[SocketCaseName, string]>([
    ["a missing file", "ENOENT"],
    ["a socket whose backlog is full", "EAGAIN"],
  ])("%s is tried until then, and refuses with %s", async (name, code) => {
    await using place = await createSocketCase(name);
    const { outcome, timing } = await probe(place.path, { timeoutMs: SHORT_MS, retryConnect: true });
    expect(outcome).toMatchObject({ kind: "noConnection", failure: { kind: "refused", code } });
    expect(timing.elapsedMs).toBeGreaterThan(SHORT_MS - 2);
  });

  test("a socket whose backlog is full refuses with EAGAIN, even if this process is too busy for a last attempt", async () => {
    await using place = await createSocketCase("a socket whose backlog is full");
    const probing = probe(place.path, { timeoutMs: 150, retryConnect: true });
    setTimeout(() => Bun.sleepSync(SHORT_MS), 50);
    expect((await probing).outcome).toMatchObject({ failure: { kind: "refused", code: "EAGAIN" } });
  });

  test("a driver that appears meanwhile is found", async () => {
    await using driver = await startRecordingDriver();
    using directory = temporaryDirectory();
    const path = join(directory.path, "csi.sock");
    const probing = probe(path, { timeoutMs: 60_000, retryConnect: true });
    symlinkSync(driver.socketPath, path);
    expect((await probing).outcome).toEqual({ kind: "answered", response: { ready: true } });
  });

  test("a socket that is deleted under a running driver is noticed by the next probe", async () => {
    await using driver = await startRecordingDriver();
    const options = { timeoutMs: SHORT_MS, retryConnect: true };
    expect((await probe(driver.socketPath, options)).outcome.kind).toBe("answered");
    renameSync(driver.socketPath, `${driver.socketPath}.gone`);
    expect((await probe(driver.socketPath, options)).outcome).toMatchObject({
      kind: "noConnection",
      failure: { kind: "refused", code: "ENOENT" },
    });
  });
});

test("the times to connect(2), and from there to HTTP/2, are told", async () => {
  const delayMs = 150;
  await using driver = await startAllowListDriver({ settingsDelayMs: delayMs });
  const startedAt = performance.now();
  const opened = await openClient(optionsOf(driver.socketPath));
  const elapsedMs = performance.now() - startedAt;
  if (opened.kind !== "open") throw new Error(`not open but ${opened.failure.kind}`);
  using client = opened.client;
  const { connectMs, settingsMs } = client.timing;
  expect(connectMs).toBeLessThan(delayMs);
  expect(connectMs + settingsMs).toBeWithin(delayMs - 2, elapsedMs);
});

describe("the timing of a call tells how far it came:", () => {
  const part = expect.any(Number);

  test.each<[string, HostileName, object]>([
    ["to its answer", "answers ready (right)", { elapsedMs: part, connectMs: part, rpc: rpcWith(0) }],
    ["to a status", "answers grpc-status 99", { elapsedMs: part, connectMs: part, rpc: rpcWith(99) }],
    ["to the deadline", "takes the request and never answers", { elapsedMs: part, connectMs: part, rpc: rpcWith(4) }],
    ["to a loss", "loses the connection mid-call", { elapsedMs: part, connectMs: part, rpc: rpcWith(14) }],
    ["to HTTP", "answers HTTP 404 without grpc-status", { elapsedMs: part, connectMs: part, rpc: rpcWith(12) }],
    ["to nonsense", "answers malformed protobuf", { elapsedMs: part, connectMs: part, rpc: rpcWith(13) }],
    ["to no connection", "accepts and never answers", { elapsedMs: part }],
  ])("%s", async (_, name, timing) => {
    await using driver = await startHostileDriver(name);
    const { timing: measured } = await probe(driver.socketPath, { timeoutMs: SHORT_MS });
    expect<object>(measured).toEqual(timing);
    expect((measured.connectMs ?? 0) + (measured.rpc?.durationMs ?? 0)).toBeLessThanOrEqual(measured.elapsedMs);
  });

  function rpcWith(statusCode: number) {
    return { durationMs: part, statusCode };
  }
});

function probe(socketPath: string, options: Partial<ClientOptions>) {
  return callOnce(optionsOf(socketPath, options), PROBE);
}

function optionsOf(socketPath: string, options: Partial<ClientOptions> = {}): ClientOptions {
  return { socketPath, timeoutMs: TIMEOUT_MS, ...options };
}
