import { describe, expect, test } from "bun:test";
import {
  type CallAnswer,
  callOnce,
  type Client,
  type ClientOptions,
  openClient,
  type Rpc,
} from "../../src/driver/client";
import { GET_PLUGIN_INFO, PROBE } from "../../src/driver/messages";
import {
  CONTROLLER_GET_CAPABILITIES,
  GET_PLUGIN_CAPABILITIES,
  GET_REGISTRATION_INFO,
  NODE_GET_CAPABILITIES,
  NODE_GET_INFO,
  type RegistrationInfo,
} from "../../src/driver/node-messages";
import { StatusCode } from "../../src/grpc/status";
import { availableDrivers, startDriver } from "../support/drivers";
import { type RegistrationServerOptions, startRegistrationServer } from "../support/registration-server";

const TIMEOUT_MS = 2_000;
/** For what ends by no other way than the timeout; well above the 50 ms in which a status may be our own deadline's. */
const SHORT_MS = 200;

const RPCS: readonly Rpc<unknown>[] = [
  GET_PLUGIN_INFO,
  GET_PLUGIN_CAPABILITIES,
  PROBE,
  NODE_GET_CAPABILITIES,
  CONTROLLER_GET_CAPABILITIES,
  NODE_GET_INFO,
];

const implementations = await availableDrivers();

describe.each(implementations)("the %s driver, over one connection,", (implementation) => {
  test("answers each RPC", async () => {
    await using driver = await startDriver(implementation, { vendorVersion: "1.2.3", nodeGetInfo: "allowed" });
    using client = await open(driver.socketPath);
    const answers: unknown[] = [];
    // oxlint-disable-next-line no-await-in-loop -- one call after the other
    for (const rpc of RPCS) answers.push(await answerOf(client, rpc));
    expect(answers.map((answer) => (answer as { response: unknown }).response)).toEqual([
      { name: driver.name, vendorVersion: "1.2.3" },
      { services: ["CONTROLLER_SERVICE"], volumeExpansion: ["ONLINE"] },
      { ready: true },
      ["STAGE_UNSTAGE_VOLUME", "GET_VOLUME_STATS"],
      ["CREATE_DELETE_VOLUME", "PUBLISH_UNPUBLISH_VOLUME"],
      { nodeId: "node-1", maxVolumesPerNode: 25, topologySegments: new Map([["topology.csi.test/zone", "zone-1"]]) },
    ]);
    await driver.waitFor((event) => event.event === "rpc" && event.method === NODE_GET_INFO.path);
    expect(driver.events.flatMap((event) => (event.event === "rpc" ? event.method : []))).toEqual(
      RPCS.map(({ path }) => path),
    );
  });

  test("answers the next RPC where one is not implemented, fails or hangs", async () => {
    await using driver = await startDriver(implementation);
    await driver.send("NodeGetCapabilities status 12 no such service");
    await driver.send("ControllerGetCapabilities status 13 out of order");
    await driver.send("GetPluginCapabilities hang");
    using client = await open(driver.socketPath, 1_000);
    const failing = [NODE_GET_CAPABILITIES, CONTROLLER_GET_CAPABILITIES, GET_PLUGIN_CAPABILITIES];
    const answers: unknown[] = [];
    // oxlint-disable-next-line no-await-in-loop
    for (const rpc of failing) answers.push(await answerOf(client, rpc));
    expect(answers).toEqual([
      { kind: "status", code: StatusCode.unimplemented, details: "no such service" },
      { kind: "status", code: StatusCode.internal, details: "out of order" },
      { kind: "timeout" },
    ]);
    expect(await answerOf(client, PROBE)).toEqual({ kind: "answered", response: { ready: true } });
  });

  test("is silent when it is stopped, after connect(2)", async () => {
    await using driver = await startDriver(implementation);
    await driver.pause();
    const outcome = await openClient(optionsOf(driver.socketPath, SHORT_MS));
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
    using client = await open(driver.socketPath);
    expect(await answerOf(client, GET_PLUGIN_CAPABILITIES)).toEqual({
      kind: "answered",
      response: { services: [...plugin, "UNKNOWN(42)"], volumeExpansion: ["ONLINE", "OFFLINE"] },
    });
    expect(await answerOf(client, NODE_GET_CAPABILITIES)).toEqual({
      kind: "answered",
      response: [...node, "VOLUME_CONDITION", "UNKNOWN(42)"],
    });
    expect(await answerOf(client, CONTROLLER_GET_CAPABILITIES)).toEqual({
      kind: "answered",
      response: [...controller, "VOLUME_CONDITION", "UNKNOWN(42)"],
    });
  },
);

describe("what a registration socket announces is told as it is:", () => {
  test.each<[string, RegistrationServerOptions, RegistrationInfo]>([
    [
      "a CSI driver's, with the driver's socket",
      { name: "a.csi.test", endpoint: "/var/lib/kubelet/plugins/a/csi.sock" },
      {
        type: "CSIPlugin",
        name: "a.csi.test",
        endpoint: "/var/lib/kubelet/plugins/a/csi.sock",
      },
    ],
    [
      "a DRA plugin's, which serves on this socket itself",
      { type: "DRAPlugin", name: "gpu.test", supportedVersions: ["v1.DRAPlugin", "v1beta1.DRAPlugin"] },
      {
        type: "DRAPlugin",
        name: "gpu.test",
        endpoint: "",
      },
    ],
    [
      "an endpoint that leads elsewhere, and no version",
      { name: "a.csi.test", endpoint: "../../etc/passwd", supportedVersions: [] },
      { type: "CSIPlugin", name: "a.csi.test", endpoint: "../../etc/passwd" },
    ],
    [
      "names that could steer a terminal, which are for the reader to escape",
      { name: "\u001b[31mred\nline" },
      { type: "CSIPlugin", name: "\u001b[31mred\nline", endpoint: "" },
    ],
  ])("%s", async (_, announced, info) => {
    await using server = await startRegistrationServer(announced);
    const { outcome } = await callOnce(optionsOf(server.socketPath), GET_REGISTRATION_INFO);
    expect(outcome).toEqual({ kind: "answered", response: info });
    expect(server.calls).toEqual([GET_REGISTRATION_INFO.path]);
  });
});

describe("a registration socket that does not answer:", () => {
  test.each<[string, RegistrationServerOptions, object]>([
    [
      "an error",
      { failure: { code: 13, details: "out of order" } },
      { kind: "status", code: 13, details: "out of order" },
    ],
    [
      "not implemented",
      { failure: { code: 12, details: "not here" } },
      { kind: "status", code: StatusCode.unimplemented, details: "not here" },
    ],
    ["a hang, to the timeout", { failure: "hang" }, { kind: "timeout" }],
  ])("%s", async (_, failure, expected) => {
    await using server = await startRegistrationServer(failure);
    const { outcome } = await callOnce(optionsOf(server.socketPath, SHORT_MS), GET_REGISTRATION_INFO);
    expect<object>(outcome).toEqual(expected);
  });

  test("a CSI driver, which has no such service", async () => {
    await using driver = await startDriver("grpc-js");
    const { outcome } = await callOnce(optionsOf(driver.socketPath), GET_REGISTRATION_INFO);
    expect(outcome).toMatchObject({ kind: "status", code: StatusCode.unimplemented });
  });
});

async function open(socketPath: string, timeoutMs = TIMEOUT_MS): Promise<Client> {
  const opened = await openClient(optionsOf(socketPath, timeoutMs));
  if (opened.kind !== "open") throw new Error(`not open but ${opened.failure.kind}`);
  return opened.client;
}

async function answerOf(client: Client, rpc: Rpc<unknown>): Promise<CallAnswer<unknown>> {
  return (await client.call(rpc)).answer;
}

function optionsOf(socketPath: string, timeoutMs = TIMEOUT_MS): ClientOptions {
  return { socketPath, timeoutMs };
}
