import { describe, expect, test } from "bun:test";
import { openSession, type Session, type SessionOptions } from "../../src/driver/session";
import { StatusCode } from "../../src/grpc/status";
import { startAllowListDriver, type ScriptedAnswer } from "../support/allow-list-driver";
import { availableDrivers, startDriver } from "../support/drivers";
import { PROBE_RESPONSE } from "../support/probe-messages";

const TIMEOUT_MS = 2_000;
/** For what ends by no other way than the timeout; well above the 50 ms in which a status may be our own deadline's. */
const SHORT_MS = 200;

const INFO = "/csi.v1.Identity/GetPluginInfo";
const PLUGIN_CAPABILITIES = "/csi.v1.Identity/GetPluginCapabilities";
const PROBE = "/csi.v1.Identity/Probe";
const NODE_CAPABILITIES = "/csi.v1.Node/NodeGetCapabilities";
const NODE_INFO = "/csi.v1.Node/NodeGetInfo";
const CONTROLLER_CAPABILITIES = "/csi.v1.Controller/ControllerGetCapabilities";

const implementations = await availableDrivers();

describe.each(implementations)("a session with the %s driver", (implementation) => {
  test("has each answer, in the order of the calls", async () => {
    await using driver = await startDriver(implementation, { vendorVersion: "1.2.3", nodeGetInfo: "allowed" });
    using session = await open(driver.socketPath);
    expect(await answersOf(session)).toEqual([
      { name: driver.name, vendorVersion: "1.2.3" },
      { services: ["CONTROLLER_SERVICE"], volumeExpansion: ["ONLINE"] },
      { ready: true },
      ["STAGE_UNSTAGE_VOLUME", "GET_VOLUME_STATS"],
      ["CREATE_DELETE_VOLUME", "PUBLISH_UNPUBLISH_VOLUME"],
      { nodeId: "node-1", maxVolumesPerNode: 25, topologySegments: new Map([["topology.csi.test/zone", "zone-1"]]) },
    ]);
    await driver.waitFor((event) => event.event === "rpc" && event.method === NODE_INFO);
    expect(driver.events.flatMap((event) => (event.event === "rpc" ? event.method : []))).toEqual([
      INFO,
      PLUGIN_CAPABILITIES,
      PROBE,
      NODE_CAPABILITIES,
      CONTROLLER_CAPABILITIES,
      NODE_INFO,
    ]);
  });

  test("goes on where one RPC is not implemented, fails or hangs", async () => {
    await using driver = await startDriver(implementation);
    await driver.send("NodeGetCapabilities status 12 no such service");
    await driver.send("ControllerGetCapabilities status 13 out of order");
    await driver.send("GetPluginCapabilities hang");
    using session = await open(driver.socketPath, { timeoutMs: 1_000 });
    expect(await answerOf(session.nodeGetCapabilities())).toEqual({
      kind: "unimplemented",
      outcome: { kind: "status", code: 12, details: "no such service" },
    });
    expect(await answerOf(session.controllerGetCapabilities())).toEqual({
      kind: "noAnswer",
      outcome: { kind: "status", code: StatusCode.internal, details: "out of order" },
    });
    expect(await answerOf(session.getPluginCapabilities())).toEqual({ kind: "noAnswer", outcome: { kind: "timeout" } });
    expect(await answerOf(session.probe())).toEqual({ kind: "answered", response: { ready: true } });
  });

  test("finds a driver that is stopped silent, after connect(2), and asks it over no second connection", async () => {
    await using driver = await startDriver(implementation);
    await driver.pause();
    const outcome = await openSession({ socketPath: driver.socketPath, timeoutMs: SHORT_MS, userAgent: "a test" });
    driver.resume();
    expect(outcome).toEqual({
      kind: "noConnection",
      failure: { kind: "silent" },
      connectMs: expect.any(Number),
      elapsedMs: expect.any(Number),
    });
  });
});

test.if(implementations.includes("go"))(
  "names every capability as the CSI specification's own Go package does",
  async () => {
    const plugin = [
      "CONTROLLER_SERVICE",
      "VOLUME_ACCESSIBILITY_CONSTRAINTS",
      "GROUP_CONTROLLER_SERVICE",
      "SNAPSHOT_METADATA_SERVICE",
      "SNAPSHOT_ACCESSIBILITY_CONSTRAINTS",
      "UNKNOWN",
    ];
    const node = [
      "STAGE_UNSTAGE_VOLUME",
      "GET_VOLUME_STATS",
      "EXPAND_VOLUME",
      "SINGLE_NODE_MULTI_WRITER",
      "VOLUME_MOUNT_GROUP",
      "GET_VOLUME_HEALTH",
      "GET_STORAGE_HEALTH",
      "UNKNOWN",
    ];
    const controller = [
      "CREATE_DELETE_VOLUME",
      "PUBLISH_UNPUBLISH_VOLUME",
      "LIST_VOLUMES",
      "GET_CAPACITY",
      "CREATE_DELETE_SNAPSHOT",
      "LIST_SNAPSHOTS",
      "CLONE_VOLUME",
      "PUBLISH_READONLY",
      "EXPAND_VOLUME",
      "LIST_VOLUMES_PUBLISHED_NODES",
      "GET_VOLUME",
      "SINGLE_NODE_MULTI_WRITER",
      "MODIFY_VOLUME",
      "GET_SNAPSHOT",
      "GET_VOLUME_HEALTH",
      "LIST_VOLUME_HEALTH",
      "UNKNOWN",
    ];
    const capabilities = {
      plugin: [...plugin, "ONLINE", "OFFLINE", 42],
      node: [...node, 4, 42],
      controller: [...controller, 11, 42],
    };
    await using driver = await startDriver("go", { capabilities });
    using session = await open(driver.socketPath);
    expect(await answerOf(session.getPluginCapabilities())).toEqual({
      kind: "answered",
      response: { services: [...plugin, "UNKNOWN(42)"], volumeExpansion: ["ONLINE", "OFFLINE"] },
    });
    expect(await answerOf(session.nodeGetCapabilities())).toEqual({
      kind: "answered",
      response: [...node, "VOLUME_CONDITION", "UNKNOWN(42)"],
    });
    expect(await answerOf(session.controllerGetCapabilities())).toEqual({
      kind: "answered",
      response: [...controller, "VOLUME_CONDITION", "UNKNOWN(42)"],
    });
  },
);

describe("NodeGetInfo has a timeout of its own:", () => {
  test("30 s, whatever the session's are", async () => {
    await using driver = await startAllowListDriver({ nodeGetInfo: "allowed", answers: { [NODE_INFO]: slow(400) } });
    using session = await open(driver.socketPath, { timeoutMs: SHORT_MS, totalTimeoutMs: SHORT_MS });
    expect(await answerOf(session.nodeGetInfo())).toMatchObject({ kind: "answered" });
    expect(driver.calls.map(({ grpcTimeout }) => grpcTimeout)).toEqual([expect.stringMatching(/^(29\d\d\d|30000)m$/)]);
  });

  test("and it is kept", async () => {
    const answers = { [NODE_INFO]: { kind: "hang" } } as const;
    await using driver = await startAllowListDriver({ nodeGetInfo: "allowed", answers });
    using session = await open(driver.socketPath, { timeoutMs: 60_000, nodeGetInfoTimeoutMs: SHORT_MS });
    expect(await answerOf(session.nodeGetInfo())).toEqual({ kind: "noAnswer", outcome: { kind: "timeout" } });
  });
});

function slow(ms: number): ScriptedAnswer {
  return { kind: "slow", ms, bytes: PROBE_RESPONSE.absent };
}

async function open(socketPath: string, options: Partial<SessionOptions> = {}): Promise<Session> {
  const outcome = await openSession({ ...optionsOf(socketPath), ...options });
  if (outcome.kind !== "open") throw new Error(`not open but ${outcome.failure.kind}`);
  return outcome.session;
}

function optionsOf(socketPath: string): SessionOptions {
  return { socketPath, timeoutMs: TIMEOUT_MS, userAgent: "livenessprobe/test" };
}

async function answersOf(session: Session): Promise<readonly unknown[]> {
  const calls = [
    session.getPluginInfo(),
    session.getPluginCapabilities(),
    session.probe(),
    session.nodeGetCapabilities(),
    session.controllerGetCapabilities(),
    session.nodeGetInfo(),
  ];
  return (await Promise.all<{ readonly answer: object }>(calls)).map(({ answer }) =>
    "response" in answer ? answer.response : answer,
  );
}

async function answerOf<Answer>(call: Promise<{ readonly answer: Answer }>): Promise<Answer> {
  return (await call).answer;
}
