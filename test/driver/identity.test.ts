import { describe, expect, test } from "bun:test";
import { existsSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { createIdentityClient, type IdentityClient } from "../../src/driver/identity";
import { StatusCode } from "../../src/grpc/status";
import { BEHAVIOURS, type BehaviourName, type HostileName } from "../support/hostile-behaviours";
import { startHostileDriver, startScriptedDriver } from "../support/hostile-driver";
import { ownSockets } from "../support/own-fds";
import { startRecordingDriver } from "../support/recording-driver";
import { temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "../support/wait";

const TIMEOUT_MS = 2_000;
const SHORT_MS = 200;

test("each RPC is a connection of its own, closed when it is answered", async () => {
  await using driver = await startRecordingDriver("a.csi.test");
  const client = clientOf(driver.socketPath);
  expect((await client.probe()).outcome).toEqual({ kind: "answered", response: { ready: true } });
  expect((await client.getPluginInfo()).outcome).toEqual({
    kind: "answered",
    response: { name: "a.csi.test", vendorVersion: "1.0.0" },
  });
  await waitUntil(() => driver.connections.every(({ closed }) => closed), "both to be closed");
  expect(driver.connections.map(({ streams, requests }) => [streams, ...requests.map(({ path }) => path)])).toEqual([
    [1, "/csi.v1.Identity/Probe"],
    [1, "/csi.v1.Identity/GetPluginInfo"],
  ]);
});

describe("the timing of a probe tells how far it came:", () => {
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
    const { timing: measured } = await clientOf(driver.socketPath, SHORT_MS).probe();
    expect(measured).toEqual(timing as typeof measured);
    expect((measured.connectMs ?? 0) + (measured.rpc?.durationMs ?? 0)).toBeLessThanOrEqual(measured.elapsedMs);
  });

  function rpcWith(statusCode: number) {
    return { durationMs: part, statusCode };
  }
});

test("a driver that appears while a probe waits is found by that very probe", async () => {
  await using driver = await startRecordingDriver();
  using directory = temporaryDirectory();
  const path = join(directory.path, "csi.sock");
  const probe = clientOf(path).probe();
  symlinkSync(driver.socketPath, path);
  expect((await probe).outcome).toEqual({ kind: "answered", response: { ready: true } });
});

test("a socket that is deleted under a running driver is noticed by the next probe", async () => {
  await using driver = await startRecordingDriver();
  const client = clientOf(driver.socketPath, SHORT_MS);
  expect((await client.probe()).outcome.kind).toBe("answered");
  renameSync(driver.socketPath, `${driver.socketPath}.gone`);
  expect((await client.probe()).outcome).toEqual({
    kind: "noConnection",
    failure: { kind: "refused", code: "ENOENT" },
  });
});

describe("connecting goes on until the deadline:", () => {
  test.each<[string, HostileName, string]>([
    ["a driver that closes each connection", "accepts and drops the connection", "closed"],
    ["one that speaks no HTTP/2", "greets first, as SSH does", "notHttp2"],
  ])("%s is tried again a second later", async (_, name, kind) => {
    await using driver = await startHostileDriver(name);
    const { outcome, timing } = await clientOf(driver.socketPath, 1_300).probe();
    expect(outcome).toEqual({ kind: "noConnection", failure: { kind } } as typeof outcome);
    expect(driver.connections).toMatchObject({ total: 2, maxOpen: 1 });
    expect(timing.elapsedMs).toBeWithin(1_298, TIMEOUT_MS);
  });

  test("a path with nothing at it is tried until then too", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "csi.sock");
    const { outcome, timing } = await clientOf(path, SHORT_MS).probe();
    expect(outcome).toEqual({ kind: "noConnection", failure: { kind: "refused", code: "ENOENT" } });
    expect(timing.elapsedMs).toBeWithin(SHORT_MS - 2, TIMEOUT_MS);
    expect(existsSync(path)).toBe(false);
  });
});

describe("a call that the driver refuses unseen is made once more, over another connection,", () => {
  test.each<[string, BehaviourName]>([
    ["after REFUSED_STREAM", "resets the stream with REFUSED_STREAM"],
    ["after a GOAWAY below its stream", "sends GOAWAY below our stream"],
    ["after a GOAWAY that comes before it", "sends GOAWAY after SETTINGS"],
  ])("%s", async (_, refusal) => {
    let connections = 0;
    await using driver = await startScriptedDriver((socket) => {
      connections += 1;
      BEHAVIOURS[connections === 1 ? refusal : "answers ready (right)"](socket);
    });
    const { outcome } = await clientOf(driver.socketPath).probe();
    expect(outcome).toEqual({ kind: "answered", response: { ready: true } });
    expect(driver.connections.total).toBe(2);
  });

  test("and that is all: a driver that goes on refusing sees two", async () => {
    await using driver = await startHostileDriver("resets the stream with REFUSED_STREAM");
    const { outcome } = await clientOf(driver.socketPath).probe();
    expect(outcome).toMatchObject({ kind: "noAnswer", outcome: { code: StatusCode.unavailable } });
    expect(driver.connections.total).toBe(2);
  });

  test("and where there is none any more, the refusal is the outcome", async () => {
    await using driver = await startScriptedDriver((socket) => {
      unlinkSync(driver.socketPath);
      BEHAVIOURS["resets the stream with REFUSED_STREAM"](socket);
    });
    const { outcome } = await clientOf(driver.socketPath).probe();
    expect(outcome).toMatchObject({ kind: "noAnswer", outcome: { code: StatusCode.unavailable } });
  });
});

test.each<[HostileName]>([
  ["resets the stream with CANCEL"],
  ["answers grpc-status 14 in trailers alone"],
  ["loses the connection mid-call"],
])("an RPC that a driver may have looked at is not repeated: a driver that %s sees one connection", async (name) => {
  await using driver = await startHostileDriver(name);
  const { outcome } = await clientOf(driver.socketPath).probe();
  expect(outcome.kind).toBe("noAnswer");
  expect(driver.connections.total).toBe(1);
});

test.each<[HostileName, RegExp]>([
  ["answers malformed protobuf", /no valid message: truncated field at byte 2/],
  ["answers a message of 65,537 bytes", /larger than max/],
])("a driver that %s is told so as an RPC error", async (name, details) => {
  await using driver = await startHostileDriver(name);
  const { outcome } = await clientOf(driver.socketPath).probe();
  expect(outcome).toMatchObject({
    kind: "noAnswer",
    outcome: { kind: "status", details: expect.stringMatching(details) },
  });
});

test.each<[string, HostileName]>([
  ["are answered", "answers ready (right)"],
  ["are never answered", "takes the request and never answers"],
  ["never come to HTTP/2", "accepts and never answers"],
  ["are reset", "resets the stream with INTERNAL_ERROR"],
])("50 probes at once that %s leave no socket behind", async (_, name) => {
  await using driver = await startHostileDriver(name);
  const client = clientOf(driver.socketPath, name === "answers ready (right)" ? TIMEOUT_MS : SHORT_MS);
  const before = ownSockets();
  await Promise.all(Array.from({ length: 50 }, () => client.probe()));
  await waitUntil(
    () => ownSockets() === before,
    () => `${before} sockets, there are ${ownSockets()}`,
  );
  expect(driver.connections.total).toBe(50);
});

test.each<[string, HostileName, number]>([
  ["was answered", "answers ready (right)", 600_000],
  ["was refused a stream", "resets the stream with REFUSED_STREAM", 600_000],
  ["ended at its deadline", "accepts and never answers", SHORT_MS],
])("an RPC that %s leaves no timer and no socket, so a process that has done it ends", async (_, name, timeoutMs) => {
  await using driver = await startHostileDriver(name);
  const program = `
    import { createIdentityClient } from ${JSON.stringify(join(import.meta.dir, "../../src/driver/identity.ts"))};
    const options = { socketPath: ${JSON.stringify(driver.socketPath)}, timeoutMs: ${timeoutMs}, userAgent: "a test" };
    await createIdentityClient(options).probe();
  `;
  const child = Bun.spawn([process.execPath, "-e", program], { env: {}, timeout: 4_000 });
  expect({ code: await child.exited, signal: child.signalCode }).toEqual({ code: 0, signal: null });
});

function clientOf(socketPath: string, timeoutMs = TIMEOUT_MS): IdentityClient {
  return createIdentityClient({ socketPath, timeoutMs, userAgent: "livenessprobe/test" });
}
