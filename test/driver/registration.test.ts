import { describe, expect, test } from "bun:test";
import type { RegistrationInfo } from "../../src/driver/node-messages";
import { getRegistrationInfo } from "../../src/driver/registration";
import { startAllowListDriver } from "../support/allow-list-driver";
import { startDriver } from "../support/drivers";
import type { HostileName } from "../support/hostile-behaviours";
import { startHostileDriver } from "../support/hostile-driver";
import { ownSockets } from "../support/own-fds";
import { type RegistrationServerOptions, startRegistrationServer } from "../support/registration-server";
import { createSocketCase, type SocketCaseName } from "../support/socket-cases";
import { waitUntil } from "../support/wait";

const TIMEOUT_MS = 2_000;
/** For what ends by no other way than the timeout; well above the 50 ms in which a status may be our own deadline's. */
const SHORT_MS = 200;

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
    const outcome = await getRegistrationInfo(optionsOf(server.socketPath));
    if (outcome.kind !== "asked") throw new Error(`not asked but ${outcome.failure.kind}`);
    expect(outcome.call.answer).toEqual({ kind: "answered", response: info });
    expect(outcome.timing.connectMs + outcome.timing.settingsMs + outcome.call.durationMs).toBeWithin(0, TIMEOUT_MS);
    expect(server.calls).toEqual(["/pluginregistration.Registration/GetInfo"]);
  });
});

describe("a registration socket that does not answer:", () => {
  test.each<[string, RegistrationServerOptions, object]>([
    [
      "an error",
      { failure: { code: 13, details: "out of order" } },
      { kind: "noAnswer", outcome: { kind: "status", code: 13, details: "out of order" } },
    ],
    [
      "not implemented",
      { failure: { code: 12, details: "not here" } },
      { kind: "unimplemented", outcome: { kind: "status", code: 12, details: "not here" } },
    ],
    ["a hang, to the timeout", { failure: "hang" }, { kind: "noAnswer", outcome: { kind: "timeout" } }],
  ])("%s", async (_, failure, answer) => {
    await using server = await startRegistrationServer(failure);
    const outcome = await getRegistrationInfo({ ...optionsOf(server.socketPath), timeoutMs: SHORT_MS });
    if (outcome.kind !== "asked") throw new Error(`not asked but ${outcome.failure.kind}`);
    expect<object>(outcome.call.answer).toEqual(answer);
  });

  test("a CSI driver, which has no such service", async () => {
    await using driver = await startDriver("grpc-js");
    const outcome = await getRegistrationInfo(optionsOf(driver.socketPath));
    expect(outcome).toMatchObject({ kind: "asked", call: { answer: { kind: "unimplemented" } } });
  });

  test.each<[SocketCaseName, string]>([
    ["a missing file", "ENOENT"],
    ["a stale socket", "ECONNREFUSED"],
  ])("%s, told at once", async (name, code) => {
    await using place = await createSocketCase(name);
    const outcome = await getRegistrationInfo({ ...optionsOf(place.path), timeoutMs: 60_000 });
    expect(outcome).toEqual({
      kind: "noConnection",
      failure: { kind: "refused", code },
      elapsedMs: expect.any(Number),
    });
  });

  test.each<[HostileName, string]>([
    ["accepts and never answers", "silent"],
    ["speaks HTTP/1.1", "notHttp2"],
  ])("one that %s", async (name, kind) => {
    await using driver = await startHostileDriver(name);
    const outcome = await getRegistrationInfo({ ...optionsOf(driver.socketPath), timeoutMs: SHORT_MS });
    expect(outcome).toMatchObject({ kind: "noConnection", failure: { kind } });
    expect(driver.connections.total).toBe(1);
  });
});

test("connecting and calling have one timeout together", async () => {
  await using driver = await startAllowListDriver({ settingsDelayMs: 150 });
  await getRegistrationInfo({ ...optionsOf(driver.socketPath), timeoutMs: 2_000 });
  expect(driver.calls.map(({ grpcTimeout }) => Number.parseInt(grpcTimeout ?? "", 10) <= 1_860)).toEqual([true]);
});

test("whatever came of it, the connection is closed", async () => {
  const answers = { "/pluginregistration.Registration/GetInfo": { kind: "hang" } } as const;
  await using silent = await startAllowListDriver({ answers });
  await using driver = await startAllowListDriver();
  const before = ownSockets();
  const asked = [silent, driver].map(({ socketPath }) =>
    getRegistrationInfo({ ...optionsOf(socketPath), timeoutMs: SHORT_MS }),
  );
  expect((await Promise.all(asked)).map(({ kind }) => kind)).toEqual(["asked", "asked"]);
  await waitUntil(
    () => ownSockets() === before,
    () => `${before} sockets, there are ${ownSockets()}`,
  );
  expect([silent.counts, driver.counts]).toMatchObject([
    { connections: 1, open: 0 },
    { connections: 1, open: 0 },
  ]);
});

function optionsOf(socketPath: string) {
  return { socketPath, timeoutMs: TIMEOUT_MS, userAgent: "livenessprobe/test" };
}
