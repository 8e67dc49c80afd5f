import { describe, expect, test } from "bun:test";
import { renameSync } from "node:fs";
import { join } from "node:path";
import {
  decodeNodeCapabilities,
  decodePluginCapabilities,
  type PluginCapabilities,
} from "../../src/driver/node-messages";
import {
  type Conversation,
  type ConversationOptions,
  openConversation,
  type TimedCall,
} from "../../src/driver/conversation";
import { decodePluginInfo, decodeProbeResponse, type PluginInfo, type ProbeResponse } from "../../src/driver/messages";
import { StatusCode } from "../../src/grpc/status";
import { startAllowListDriver, type ScriptedAnswer } from "../support/allow-list-driver";
import { startDriver } from "../support/drivers";
import type { HostileName } from "../support/hostile-behaviours";
import { startHostileDriver } from "../support/hostile-driver";
import { ownSockets } from "../support/own-fds";
import { paddedReady, PROBE_RESPONSE } from "../support/probe-messages";
import { createSocketCase, type SocketCaseName } from "../support/socket-cases";
import { waitUntil } from "../support/wait";

const TIMEOUT_MS = 2_000;
/** For what ends by no other way than the timeout; well above the 50 ms in which a status may be our own deadline's. */
const SHORT_MS = 200;

const INFO = "/csi.v1.Identity/GetPluginInfo";
const PLUGIN_CAPABILITIES = "/csi.v1.Identity/GetPluginCapabilities";
const PROBE = "/csi.v1.Identity/Probe";
const NODE_CAPABILITIES = "/csi.v1.Node/NodeGetCapabilities";

const LOST = { kind: "noAnswer", outcome: { kind: "closed" } };

describe("opening", () => {
  test.each<[SocketCaseName, string]>([
    ["a missing file", "ENOENT"],
    ["a regular file", "ECONNREFUSED"],
    ["a stale socket", "ECONNREFUSED"],
  ])("%s ends at once, without a second attempt: %s", async (name, code) => {
    await using place = await createSocketCase(name);
    const outcome = await openConversation({ socketPath: place.path, timeoutMs: 60_000, userAgent: "a test" });
    expect(outcome).toEqual({
      kind: "noConnection",
      failure: { kind: "refused", code },
      elapsedMs: expect.any(Number),
    });
    expect("connectMs" in outcome).toBe(false);
  });

  test.each<[HostileName, string, number]>([
    ["accepts and never answers", "silent", SHORT_MS],
    ["accepts and closes at once", "closed", TIMEOUT_MS],
    ["speaks HTTP/1.1", "notHttp2", TIMEOUT_MS],
    ["greets first, as SSH does", "notHttp2", TIMEOUT_MS],
  ])("what %s ends after connect(2): %s, over one connection", async (name, kind, timeoutMs) => {
    await using driver = await startHostileDriver(name);
    const outcome = await openConversation({ socketPath: driver.socketPath, timeoutMs, userAgent: "a test" });
    expect(outcome).toMatchObject({ kind: "noConnection", failure: { kind }, connectMs: expect.any(Number) });
    await waitUntil(() => driver.connections.open === 0, "the driver to see the connection's end");
    expect(driver.connections.total).toBe(1);
  });

  test("tells the time to connect(2) and the one from there to HTTP/2", async () => {
    const delayMs = 150;
    await using driver = await startAllowListDriver({ settingsDelayMs: delayMs });
    const startedAt = performance.now();
    using conversation = await open(driver.socketPath);
    const elapsedMs = performance.now() - startedAt;
    const { connectMs, settingsMs } = conversation.timing;
    expect(connectMs).toBeLessThan(delayMs);
    expect(connectMs + settingsMs).toBeWithin(delayMs - 2, elapsedMs);
  });
});

test("calls that are made at once are made one after another, with a timeout for each", async () => {
  await using driver = await startAllowListDriver({ answers: { [INFO]: slow(100), [PROBE]: slow(100) } });
  using conversation = await open(driver.socketPath, { timeoutMs: 10_000 });
  const calls = [getPluginInfo(conversation), probe(conversation), nodeGetCapabilities(conversation)];
  const kinds = (await Promise.all(calls)).map(({ answer }) => answer.kind);
  expect(kinds).toEqual(["answered", "answered", "answered"]);
  expect(driver.calls.map(({ method }) => method)).toEqual([INFO, PROBE, NODE_CAPABILITIES]);
  expect(driver.calls.map(({ grpcTimeout }) => grpcTimeout)).toEqual(
    Array(3).fill(expect.stringMatching(/^(99\d\d|10000)m$/)),
  );
  expect(driver.counts).toMatchObject({ connections: 1, mostCallsAtOnce: 1 });
});

test("the first call has what connecting has left, and each further one a timeout of its own", async () => {
  await using driver = await startAllowListDriver({ settingsDelayMs: 300 });
  using conversation = await open(driver.socketPath, { timeoutMs: 60_000 });
  await probe(conversation);
  await getPluginInfo(conversation);
  const [first = 0, second = 0] = driver.calls.map(({ grpcTimeout }) => Number.parseInt(grpcTimeout ?? "", 10));
  expect(first).toBeLessThanOrEqual(59_700);
  expect(second).toBeGreaterThan(first);
});

describe("with a timeout for all of it together,", () => {
  test("what is called when the time is up is not sent", async () => {
    await using driver = await startAllowListDriver({ answers: { [PROBE]: { kind: "hang" } } });
    using conversation = await open(driver.socketPath, { timeoutMs: TIMEOUT_MS, totalTimeoutMs: SHORT_MS });
    const startedAt = performance.now();
    const probing = probe(conversation);
    const info = getPluginInfo(conversation);
    expect(await answerOf(probing)).toEqual({ kind: "noAnswer", outcome: { kind: "timeout" } });
    expect(await info).toEqual({ answer: { kind: "notAsked", why: "noTimeLeft" }, durationMs: 0 });
    expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS);
    expect(driver.calls.map(({ method }) => method)).toEqual([PROBE]);
  });

  test("a call has what connecting has left", async () => {
    await using driver = await startAllowListDriver({ settingsDelayMs: 150 });
    using conversation = await open(driver.socketPath, { timeoutMs: 2_000, totalTimeoutMs: 2_000 });
    await probe(conversation);
    expect(driver.calls.map(({ grpcTimeout }) => Number.parseInt(grpcTimeout ?? "", 10) <= 1_860)).toEqual([true]);
  });

  test("a connection is waited for no longer", async () => {
    await using driver = await startHostileDriver("accepts and never answers");
    const outcome = await openConversation({ ...optionsOf(driver.socketPath), totalTimeoutMs: SHORT_MS });
    if (outcome.kind !== "noConnection") throw new Error("there is a connection");
    expect(outcome.elapsedMs).toBeWithin(SHORT_MS - 2, TIMEOUT_MS);
  });
});

describe("a connection that is lost between two calls is what comes of the next one:", () => {
  test.each<[string, ScriptedAnswer]>([
    ["the driver closes it after each call", { kind: "thenCloses" }],
    ["the driver sends GOAWAY after each call", { kind: "thenSendsGoaway" }],
  ])("%s", async (_, answer) => {
    await using driver = await startAllowListDriver({ answers: { [INFO]: answer } });
    using conversation = await open(driver.socketPath);
    expect(await answerOf(getPluginInfo(conversation))).toMatchObject({ kind: "answered" });
    await waitUntil(() => driver.counts.open === 0, "the connection's end");
    expect(await answerOf(probe(conversation))).toMatchObject(LOST);
    expect(await answerOf(nodeGetCapabilities(conversation))).toMatchObject(LOST);
    expect(driver.calls.map(({ method }) => method)).toEqual([INFO]);
    expect(driver.counts.connections).toBe(1);
  });

  test.each<[string, ScriptedAnswer]>([
    ["closed", { kind: "thenCloses" }],
    ["left with GOAWAY", { kind: "thenSendsGoaway" }],
    ["left with GOAWAY before the answer", { kind: "afterGoaway" }],
  ])("%s while the next call is already being made", async (_, answer) => {
    await using driver = await startAllowListDriver({ answers: { [INFO]: answer } });
    using conversation = await open(driver.socketPath);
    const [info, next] = await Promise.all([getPluginInfo(conversation), probe(conversation)]);
    expect(info.answer.kind).toBe("answered");
    expect(next.answer).toMatchObject(LOST);
    expect(driver.calls.map(({ method }) => method)).toEqual([INFO]);
    expect(driver.counts.connections).toBe(1);
  });

  test("the driver is killed", async () => {
    await using driver = await startDriver("grpc-js");
    using conversation = await open(driver.socketPath);
    expect(await answerOf(probe(conversation))).toMatchObject({ kind: "answered" });
    const before = ownSockets();
    await driver.kill();
    await waitUntil(() => ownSockets() < before, "our end to be closed");
    expect(await answerOf(getPluginInfo(conversation))).toMatchObject(LOST);
  });

  test("another driver that has come up at the path meanwhile is not asked", async () => {
    await using driver = await startAllowListDriver({ answers: { [INFO]: { kind: "thenCloses" } } });
    await using other = await startAllowListDriver();
    using conversation = await open(driver.socketPath);
    await getPluginInfo(conversation);
    renameSync(other.socketPath, driver.socketPath);
    await waitUntil(() => driver.counts.open === 0, "the connection's end");
    expect(await answerOf(probe(conversation))).toMatchObject(LOST);
    expect(other.counts.connections).toBe(0);
  });
});

test.each<[HostileName, object]>([
  ["loses the connection mid-call", { kind: "closed" }],
  ["closes after SETTINGS", { kind: "closed" }],
  [
    "answers HTTP 404 without grpc-status",
    { kind: "notGrpc", code: StatusCode.unimplemented, httpStatus: 404, contentType: "text/plain" },
  ],
  ["answers malformed protobuf", { kind: "status", code: 13, details: expect.stringMatching(/no valid message/) }],
  ["answers a message of 65,537 bytes", { kind: "status", code: 8, details: expect.stringMatching(/larger than max/) }],
  ["sends SETTINGS that allow no streams", { kind: "timeout" }],
])("a driver that %s has an outcome", async (name, outcome) => {
  await using driver = await startHostileDriver(name);
  using conversation = await open(driver.socketPath, { timeoutMs: SHORT_MS });
  expect(await answerOf(nodeGetCapabilities(conversation))).toMatchObject({ kind: "noAnswer", outcome });
  expect(driver.connections.total).toBe(1);
});

test.each<HostileName>(["sends GOAWAY after SETTINGS", "sends GOAWAY after SETTINGS and closes"])(
  "a driver that %s is called over one more connection, and no more",
  async (name) => {
    await using driver = await startHostileDriver(name);
    using conversation = await open(driver.socketPath);
    expect(await answerOf(probe(conversation))).toMatchObject(LOST);
    expect(await answerOf(getPluginInfo(conversation))).toMatchObject(LOST);
    expect(driver.connections.total).toBe(2);
    conversation.close();
    await waitUntil(() => driver.connections.open === 0, "the driver to see both connections' end");
  },
);

test("an answer of 65,536 bytes is read", async () => {
  await using driver = await startAllowListDriver({
    answers: { [PROBE]: { kind: "message", bytes: paddedReady(65_536) } },
  });
  using conversation = await open(driver.socketPath);
  expect(await answerOf(probe(conversation))).toEqual({ kind: "answered", response: { ready: true } });
});

describe("closing", () => {
  test("ends a call that runs, and what is called afterwards is not sent", async () => {
    await using driver = await startAllowListDriver({ answers: { [PROBE]: { kind: "hang" } } });
    const conversation = await open(driver.socketPath, { timeoutMs: 60_000 });
    const probing = probe(conversation);
    const waiting = getPluginInfo(conversation);
    await waitUntil(() => driver.calls.length === 1, "the call");
    conversation.close();
    conversation.close();
    expect(await answerOf(probing)).toEqual({ kind: "noAnswer", outcome: { kind: "closed" } });
    expect(await answerOf(waiting)).toEqual({ kind: "notAsked", why: "closed" });
    expect(await answerOf(probe(conversation))).toEqual({ kind: "notAsked", why: "closed" });
    await waitUntil(() => driver.counts.open === 0, "the driver to see the connection's end");
  });

  test("50 conversations, each left in another state, leave no socket behind", async () => {
    await using driver = await startAllowListDriver({ answers: { [PROBE]: { kind: "hang" } } });
    const before = ownSockets();
    for (let round = 0; round < 50; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      using conversation = await open(driver.socketPath, { timeoutMs: 60_000 });
      if (round % 3 === 1) void probe(conversation);
      // oxlint-disable-next-line no-await-in-loop
      if (round % 3 === 2) await getPluginInfo(conversation);
    }
    await waitUntil(
      () => ownSockets() === before,
      () => `${before} sockets, there are ${ownSockets()}`,
    );
    expect(driver.counts).toMatchObject({ connections: 50, open: 0 });
  });

  test.each<[string, HostileName]>([
    ["was answered", "answers ready (right)"],
    ["was in the middle of a call", "takes the request and never answers"],
    ["was lost", "loses the connection mid-call"],
  ])("one that %s leaves no timer and no socket, so a process that has closed it ends", async (_, name) => {
    await using driver = await startHostileDriver(name);
    const program = `
      import { openConversation } from ${JSON.stringify(join(import.meta.dir, "../../src/driver/conversation.ts"))};
      const options = { socketPath: ${JSON.stringify(driver.socketPath)}, timeoutMs: 600_000, userAgent: "a test" };
      const { conversation } = await openConversation(options);
      const probe = conversation.call(${JSON.stringify(PROBE)}, () => undefined);
      await Promise.race([probe, Bun.sleep(${SHORT_MS})]);
      conversation.close();
    `;
    const child = Bun.spawn([process.execPath, "-e", program], { env: {}, timeout: 4_000 });
    expect({ code: await child.exited, signal: child.signalCode }).toEqual({ code: 0, signal: null });
  });
});

test("after an answer that is no valid message the next call is made", async () => {
  const malformed = { kind: "message", bytes: Buffer.of(0x0a, 0x7f) } as const;
  await using driver = await startAllowListDriver({ answers: { [PLUGIN_CAPABILITIES]: malformed } });
  using conversation = await open(driver.socketPath);
  expect(await answerOf(getPluginCapabilities(conversation))).toMatchObject({
    kind: "noAnswer",
    outcome: { code: StatusCode.internal },
  });
  expect(await answerOf(probe(conversation))).toEqual({ kind: "answered", response: { ready: true } });
});

function slow(ms: number): ScriptedAnswer {
  return { kind: "slow", ms, bytes: PROBE_RESPONSE.absent };
}

async function open(socketPath: string, options: Partial<ConversationOptions> = {}): Promise<Conversation> {
  const outcome = await openConversation({ ...optionsOf(socketPath), ...options });
  if (outcome.kind !== "open") throw new Error(`not open but ${outcome.failure.kind}`);
  return outcome.conversation;
}

function optionsOf(socketPath: string): ConversationOptions {
  return { socketPath, timeoutMs: TIMEOUT_MS, userAgent: "livenessprobe/test" };
}

function probe({ call }: Conversation): Promise<TimedCall<ProbeResponse>> {
  return call(PROBE, decodeProbeResponse);
}

function getPluginInfo({ call }: Conversation): Promise<TimedCall<PluginInfo>> {
  return call(INFO, decodePluginInfo);
}

function getPluginCapabilities({ call }: Conversation): Promise<TimedCall<PluginCapabilities>> {
  return call(PLUGIN_CAPABILITIES, decodePluginCapabilities);
}

function nodeGetCapabilities({ call }: Conversation): Promise<TimedCall<readonly string[]>> {
  return call(NODE_CAPABILITIES, decodeNodeCapabilities);
}

async function answerOf<Answer>(call: Promise<{ readonly answer: Answer }>): Promise<Answer> {
  return (await call).answer;
}
