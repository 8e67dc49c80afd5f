import { describe, expect, spyOn, test } from "bun:test";
import { renameSync, unlinkSync } from "node:fs";
import { connect, type ClientHttp2Session } from "node:http2";
import { Socket } from "node:net";
import { join } from "node:path";
import {
  type CallAnswer,
  callOnce,
  type Client,
  type ClientOptions,
  isUnimplemented,
  openClient,
  type Rpc,
} from "../../src/driver/client";
import { GET_PLUGIN_INFO, PROBE } from "../../src/driver/messages";
import { GET_PLUGIN_CAPABILITIES, NODE_GET_CAPABILITIES, NODE_GET_INFO } from "../../src/driver/node-messages";
import { StatusCode } from "../../src/grpc/status";
import { errorText } from "../../src/base/errors";
import { startAllowListDriver, type ScriptedAnswer } from "../support/allow-list-driver";
import { startDriver } from "../support/drivers";
import { BEHAVIOURS, type BehaviourName, type HostileName } from "../support/hostile-behaviours";
import { startHostileDriver, startScriptedDriver } from "../support/hostile-driver";
import { ownSockets } from "../support/own-fds";
import { paddedReady, PROBE_RESPONSE } from "../support/probe-messages";
import { startRecordingDriver } from "../support/recording-driver";
import { waitUntil } from "../support/wait";

const TIMEOUT_MS = 2_000;
/** For what ends by no other way than the timeout; well above the 50 ms in which a status may be our own deadline's. */
const SHORT_MS = 200;

const READY = { kind: "answered", response: { ready: true } } as const;
const LOST = { kind: "closed" };

test("a single call is a connection of its own, closed when it is answered", async () => {
  await using driver = await startRecordingDriver("a.csi.test");
  expect(await probeOnce(driver.socketPath)).toEqual(READY);
  const { outcome } = await callOnce(optionsOf(driver.socketPath), GET_PLUGIN_INFO);
  expect<unknown>(outcome).toEqual({ kind: "answered", response: { name: "a.csi.test", vendorVersion: "1.0.0" } });
  await waitUntil(() => driver.connections.every(({ closed }) => closed), "both to be closed");
  expect(driver.connections.map(({ streams, requests }) => [streams, ...requests.map(({ path }) => path)])).toEqual([
    [1, PROBE.path],
    [1, GET_PLUGIN_INFO.path],
  ]);
});

describe("of the calls over one connection,", () => {
  test("the first has what connecting has left, and each further one a timeout of its own", async () => {
    await using driver = await startAllowListDriver({ settingsDelayMs: 300 });
    using client = await open(driver.socketPath, { timeoutMs: 60_000 });
    await client.call(PROBE);
    await client.call(GET_PLUGIN_INFO);
    await client.call(NODE_GET_CAPABILITIES);
    const [first = 0, ...further] = driver.calls.map(({ grpcTimeout }) => Number.parseInt(grpcTimeout ?? "", 10));
    expect(first).toBeLessThanOrEqual(59_700);
    expect(further.map((timeoutMs) => timeoutMs > first)).toEqual([true, true]);
    expect(driver.counts).toMatchObject({ connections: 1, mostCallsAtOnce: 1 });
  });

  test.each([["the first", []] as const, ["a further one", [PROBE]] as const])(
    "NodeGetInfo, as %s, has 30 s, whatever the client's timeout is",
    async (_, before) => {
      const answers = { [NODE_GET_INFO.path]: slow(400) };
      await using driver = await startAllowListDriver({ nodeGetInfo: "allowed", answers });
      using client = await open(driver.socketPath, { timeoutMs: SHORT_MS });
      for (const rpc of before) await client.call(rpc);
      expect(await answerOf(client, NODE_GET_INFO)).toMatchObject({ kind: "answered" });
      expect(driver.calls.at(-1)?.grpcTimeout).toMatch(/^(29\d\d\d|30000)m$/);
    },
  );

  test("one that has a timeout of its own is kept to it", async () => {
    const answers = { [NODE_GET_INFO.path]: { kind: "hang" } } as const;
    await using driver = await startAllowListDriver({ nodeGetInfo: "allowed", answers });
    using client = await open(driver.socketPath, { timeoutMs: 60_000 });
    expect(await answerOf(client, { ...NODE_GET_INFO, timeoutMs: SHORT_MS })).toEqual({ kind: "timeout" });
  });

  test("one that is answered with an invalid message does not keep the next from being made", async () => {
    const malformed = { kind: "message", bytes: Buffer.of(0x0a, 0x7f) } as const;
    await using driver = await startAllowListDriver({ answers: { [GET_PLUGIN_CAPABILITIES.path]: malformed } });
    using client = await open(driver.socketPath);
    expect(await answerOf(client, GET_PLUGIN_CAPABILITIES)).toMatchObject({ code: StatusCode.internal });
    expect(await answerOf(client, PROBE)).toEqual(READY);
  });
});

describe("a connection that is lost between two calls is what comes of the next one:", () => {
  test.each<[string, ScriptedAnswer]>([
    ["the driver closes it after each call", { kind: "thenCloses" }],
    ["the driver sends GOAWAY after each call", { kind: "thenSendsGoaway" }],
  ])("%s", async (_, answer) => {
    await using driver = await startAllowListDriver({ answers: { [GET_PLUGIN_INFO.path]: answer } });
    using client = await open(driver.socketPath);
    expect(await answerOf(client, GET_PLUGIN_INFO)).toMatchObject({ kind: "answered" });
    await waitUntil(() => driver.counts.open === 0, "the connection's end");
    expect(await answerOf(client, PROBE)).toMatchObject(LOST);
    expect(await answerOf(client, NODE_GET_CAPABILITIES)).toMatchObject(LOST);
    expect(driver.calls.map(({ method }) => method)).toEqual([GET_PLUGIN_INFO.path]);
    expect(driver.counts.connections).toBe(1);
  });

  test("it is left with GOAWAY before the answer", async () => {
    await using driver = await startAllowListDriver({ answers: { [GET_PLUGIN_INFO.path]: { kind: "afterGoaway" } } });
    using client = await open(driver.socketPath);
    expect(await answerOf(client, GET_PLUGIN_INFO)).toMatchObject({ kind: "answered" });
    expect(await answerOf(client, PROBE)).toMatchObject(LOST);
    expect(driver.counts.connections).toBe(1);
  });

  test("the driver is killed", async () => {
    await using driver = await startDriver("grpc-js");
    using client = await open(driver.socketPath);
    expect(await answerOf(client, PROBE)).toEqual(READY);
    const before = ownSockets();
    await driver.kill();
    await waitUntil(() => ownSockets() < before, "our end to be closed");
    expect(await answerOf(client, GET_PLUGIN_INFO)).toMatchObject(LOST);
  });

  test("another driver that has come up at the path meanwhile is not asked", async () => {
    await using driver = await startAllowListDriver({ answers: { [GET_PLUGIN_INFO.path]: { kind: "thenCloses" } } });
    await using other = await startAllowListDriver();
    using client = await open(driver.socketPath);
    await client.call(GET_PLUGIN_INFO);
    renameSync(other.socketPath, driver.socketPath);
    await waitUntil(() => driver.counts.open === 0, "the connection's end");
    expect(await answerOf(client, PROBE)).toMatchObject(LOST);
    expect(other.counts.connections).toBe(0);
  });
});

describe("a first call that the driver refuses unseen is made once more, over another connection,", () => {
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
    expect(await probeOnce(driver.socketPath)).toEqual(READY);
    expect(driver.connections.total).toBe(2);
  });

  test("and that is all: a driver that goes on refusing sees two", async () => {
    await using driver = await startHostileDriver("resets the stream with REFUSED_STREAM");
    expect(await probeOnce(driver.socketPath)).toMatchObject({ kind: "status", code: StatusCode.unavailable });
    expect(driver.connections.total).toBe(2);
  });

  test.each<HostileName>(["sends GOAWAY after SETTINGS", "sends GOAWAY after SETTINGS and closes"])(
    "and a further one is not: a driver that %s sees two",
    async (name) => {
      await using driver = await startHostileDriver(name);
      {
        using client = await open(driver.socketPath);
        expect(await answerOf(client, PROBE)).toMatchObject(LOST);
        expect(await answerOf(client, GET_PLUGIN_INFO)).toMatchObject(LOST);
      }
      await waitUntil(() => driver.connections.open === 0, "the driver to see both connections' end");
      expect(driver.connections.total).toBe(2);
    },
  );

  test("and where nobody listens any more, the refusal is the outcome", async () => {
    await using driver = await startScriptedDriver((socket) => {
      unlinkSync(driver.socketPath);
      BEHAVIOURS["resets the stream with REFUSED_STREAM"](socket);
    });
    expect(await probeOnce(driver.socketPath)).toMatchObject({ kind: "status", code: StatusCode.unavailable });
  });

  test("and both connections are closed when that throws", async () => {
    let throwing: Disposable | undefined;
    await using driver = await startScriptedDriver((socket) => {
      // The first request has been made by now.
      if (driver.connections.total === 2) throwing = throwOnRequest("a fault of ours");
      BEHAVIOURS["resets the stream with REFUSED_STREAM"](socket);
    });
    const error = await probeOnce(driver.socketPath).catch(errorText);
    throwing?.[Symbol.dispose]();
    expect(error).toBe("a fault of ours");
    await waitUntil(() => driver.connections.open === 0, "the end of both connections");
    expect(driver.connections.total).toBe(2);
  });
});

test.each<[HostileName]>([
  ["resets the stream with CANCEL"],
  ["answers grpc-status 14 in trailers alone"],
  ["loses the connection mid-call"],
])("a call that a driver may have looked at is not repeated: a driver that %s sees one connection", async (name) => {
  await using driver = await startHostileDriver(name);
  expect((await probeOnce(driver.socketPath)).kind).not.toBe("answered");
  expect(driver.connections.total).toBe(1);
});

test.each<[HostileName, object]>([
  ["loses the connection mid-call", LOST],
  ["closes after SETTINGS", LOST],
  [
    "answers HTTP 404 without grpc-status",
    { kind: "notGrpc", code: StatusCode.unimplemented, httpStatus: 404, contentType: "text/plain" },
  ],
  ["answers malformed protobuf", statusWith(13, /^the answer is no valid message: truncated field at byte 2/)],
  ["answers a message of 65,537 bytes", statusWith(8, /larger than max/)],
  ["sends SETTINGS that allow no streams", { kind: "timeout" }],
])("a driver that %s has an outcome", async (name, outcome) => {
  await using driver = await startHostileDriver(name);
  using client = await open(driver.socketPath, { timeoutMs: SHORT_MS });
  expect(await answerOf(client, PROBE)).toMatchObject(outcome);
  expect(driver.connections.total).toBe(1);
});

test("an answer of 65,536 bytes is read", async () => {
  const answer = { kind: "message", bytes: paddedReady(65_536) } as const;
  await using driver = await startAllowListDriver({ answers: { [PROBE.path]: answer } });
  expect(await probeOnce(driver.socketPath)).toEqual(READY);
});

test.each([
  [12, true],
  [13, false],
])("a call that ends with status %d is of an RPC that is not implemented: %p", (code, unimplemented) => {
  expect(isUnimplemented({ kind: "status", code, details: "" })).toBe(unimplemented);
});

test.each<[string, HostileName]>([
  ["are answered", "answers ready (right)"],
  ["are never answered", "takes the request and never answers"],
  ["never come to HTTP/2", "accepts and never answers"],
  ["are reset", "resets the stream with INTERNAL_ERROR"],
])("50 calls at once that %s leave no socket behind", async (_, name) => {
  await using driver = await startHostileDriver(name);
  const timeoutMs = name === "answers ready (right)" ? TIMEOUT_MS : SHORT_MS;
  const before = ownSockets();
  await Promise.all(Array.from({ length: 50 }, () => probeOnce(driver.socketPath, { timeoutMs })));
  await waitUntil(
    () => ownSockets() === before,
    () => `${before} sockets, there are ${ownSockets()}`,
  );
  expect(driver.connections.total).toBe(50);
});

test.each<[string, HostileName, number]>([
  ["was answered", "answers ready (right)", 600_000],
  ["was refused a stream", "resets the stream with REFUSED_STREAM", 600_000],
  ["was lost", "loses the connection mid-call", 600_000],
  ["ended at its deadline", "accepts and never answers", SHORT_MS],
  ["was never made", "takes the request and never answers", 600_000],
])("a client whose call %s leaves no timer and no socket, so its process ends", async (call, name, timeoutMs) => {
  await using driver = await startHostileDriver(name);
  const program = `
    import { openClient } from ${JSON.stringify(join(import.meta.dir, "../../src/driver/client.ts"))};
    const options = { socketPath: ${JSON.stringify(driver.socketPath)}, timeoutMs: ${timeoutMs} };
    const opened = await openClient(options);
    using client = opened.client;
    if (${call !== "was never made"}) await client?.call({ path: ${JSON.stringify(PROBE.path)}, decode: () => undefined });
  `;
  const child = Bun.spawn([process.execPath, "-e", program], { env: {}, timeout: 60_000 });
  expect({ code: await child.exited, signal: child.signalCode }).toEqual({ code: 0, signal: null });
});

/** Has each request of an HTTP/2 client throw, until it is disposed of. */
function throwOnRequest(message: string): Disposable {
  const session = connect("http://localhost", { createConnection: () => new Socket() });
  session.destroy();
  // node:http2 does not export the class.
  return spyOn(Object.getPrototypeOf(session) as ClientHttp2Session, "request").mockImplementation(() => {
    throw new Error(message);
  });
}

function slow(ms: number): ScriptedAnswer {
  return { kind: "slow", ms, bytes: PROBE_RESPONSE.absent };
}

function statusWith(code: number, details: RegExp): object {
  return { kind: "status", code, details: expect.stringMatching(details) };
}

async function open(socketPath: string, options: Partial<ClientOptions> = {}): Promise<Client> {
  const opened = await openClient(optionsOf(socketPath, options));
  if (opened.kind !== "open") throw new Error(`not open but ${opened.failure.kind}`);
  return opened.client;
}

async function answerOf(client: Client, rpc: Rpc<unknown>): Promise<CallAnswer<unknown>> {
  return (await client.call(rpc)).answer;
}

async function probeOnce(socketPath: string, options: Partial<ClientOptions> = {}) {
  return (await callOnce(optionsOf(socketPath, options), PROBE)).outcome;
}

function optionsOf(socketPath: string, options: Partial<ClientOptions> = {}): ClientOptions {
  return { socketPath, timeoutMs: TIMEOUT_MS, ...options };
}
