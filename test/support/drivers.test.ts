import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { Client, Metadata, type ServiceError, credentials } from "@grpc/grpc-js";
import type { DriverCall, DriverMode, RpcEvent } from "./driver-protocol";
import { availableDrivers, startDriver } from "./drivers";

/** Of the node node-1 in topology.csi.test/zone: zone-1, which takes 25 volumes. */
const NODE_INFO = Buffer.from(
  "\n\x06node-1\x10\x19\x1a\x22\n\x20\n\x16topology.csi.test/zone\x12\x06zone-1",
  "latin1",
).toString("hex");

const implementations = await availableDrivers();

describe.each(implementations)("the %s driver", (implementation) => {
  test.each<[DriverMode, RegExp]>([
    ["ready", /^0a020801$/],
    ["absent", /^$/],
    ["notready", /^0a020800$/],
    ["notready-empty", /^0a00$/],
    ["trailers", /^0a020801$/],
    ["slow 50", /^0a020801$/],
    ["status 13 some text", /^13: some text$/],
    // Drivers end the call at the deadline too, and grpc-go with a reset: who comes first is a race.
    ["hang", /^(4: deadline exceeded|4: context deadline exceeded|1: call cancelled)/i],
  ])("answers Probe in mode %s", async (mode, answer) => {
    await using driver = await startDriver(implementation);
    await driver.send(`mode ${mode}`);
    expect(await call(driver.socketPath, "Probe", 1000)).toMatch(answer);
  });

  test("tells of a call", async () => {
    await using driver = await startDriver(implementation, { mode: "absent" });
    await call(driver.socketPath, "Probe");
    const { deadlineMs, ...rpc } = (await driver.waitFor(({ event }) => event === "rpc")) as RpcEvent;
    expect(rpc).toEqual({
      event: "rpc",
      method: "/csi.v1.Identity/Probe",
      requestBytes: 0,
      authority: "localhost",
      userAgent: expect.stringContaining("grpc-node-js"),
    });
    expect(deadlineMs).toBeWithin(1, 3001);
  });

  test("has a name, though GetPluginInfo may fail", async () => {
    await using driver = await startDriver(implementation, { name: "a.b" });
    expect(await call(driver.socketPath, "GetPluginInfo")).toBe(
      Buffer.from("\n\x03a.b\x12\x051.0.0", "latin1").toString("hex"),
    );
    await driver.send("info status 12 not today");
    expect(await call(driver.socketPath, "GetPluginInfo")).toBe("12: not today");
    expect(await call(driver.socketPath, "Probe")).toBe("0a020801");
  });

  test.each<[string, DriverCall, string]>([
    ["Identity", "GetPluginCapabilities", "0a040a0208010a0412020801"],
    ["Node", "NodeGetCapabilities", "0a040a0208010a040a020802"],
    ["Controller", "ControllerGetCapabilities", "0a040a0208010a040a020802"],
    ["Node", "NodeGetInfo", NODE_INFO],
  ])("serves %s/%s, though it may fail", async (service, method, answer) => {
    await using driver = await startDriver(implementation, { nodeGetInfo: "allowed" });
    expect(await call(driver.socketPath, method, 3000, service)).toBe(answer);
    await driver.send(`${method} status 12 not here`);
    expect(await call(driver.socketPath, method, 3000, service)).toBe("12: not here");
    expect(await call(driver.socketPath, "Probe")).toBe("0a020801");
  });

  test("has the version and the capabilities that it is told to", async () => {
    const capabilities = { plugin: [42], node: [7, 99], controller: [] };
    await using driver = await startDriver(implementation, { name: "a.b", vendorVersion: "2.0-rc1", capabilities });
    const answers = [
      call(driver.socketPath, "GetPluginInfo"),
      call(driver.socketPath, "GetPluginCapabilities"),
      call(driver.socketPath, "NodeGetCapabilities", 3000, "Node"),
      call(driver.socketPath, "ControllerGetCapabilities", 3000, "Controller"),
    ];
    expect(await Promise.all(answers)).toEqual([
      Buffer.from("\n\x03a.b\x12\x072.0-rc1", "latin1").toString("hex"),
      "0a040a02082a",
      "0a040a0208070a040a020863",
      "",
    ]);
  });

  test("does not answer while it is paused", async () => {
    await using driver = await startDriver(implementation);
    await driver.pause();
    expect(await call(driver.socketPath, "Probe", 100)).toStartWith("4: ");
    driver.resume();
    expect(await call(driver.socketPath, "Probe")).toBe("0a020801");
  });

  test("removes its socket on SIGTERM, leaves it when killed, and listens again on a stale one", async () => {
    await using killed = await startDriver(implementation);
    const { socketPath } = killed;
    await killed.kill();
    expect(existsSync(socketPath)).toBe(true);

    await using stopped = await startDriver(implementation, { socketPath });
    expect(await call(socketPath, "Probe")).toBe("0a020801");
    expect(await stopped.stop()).toBe(0);
    expect(existsSync(socketPath)).toBe(false);
  });
});

test.if(implementations.includes("go"))("the Go driver counts connections from open to closed", async () => {
  await using driver = await startDriver("go");
  await call(driver.socketPath, "Probe");
  await driver.waitFor(({ event }) => event === "closed");
  expect(driver.events.filter(({ event }) => event !== "rpc" && event !== "listening")).toEqual([
    { event: "connection", open: 1 },
    { event: "closed", open: 0 },
  ]);
});

/** What a call over a connection of its own came to: the answer in hexadecimal digits, or the status. */
function call(socketPath: string, method: string, timeoutMs = 3000, service = "Identity"): Promise<string> {
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure());
  const { promise, resolve } = Promise.withResolvers<string>();
  const done = (error: ServiceError | null, answer?: Buffer): void => {
    client.close();
    resolve(error === null ? (answer?.toString("hex") ?? "") : `${error.code}: ${error.details}`);
  };
  const path = `/csi.v1.${service}/${method}`;
  const deadline = Date.now() + timeoutMs;
  client.makeUnaryRequest(path, unchanged, unchanged, Buffer.alloc(0), new Metadata(), { deadline }, done);
  return promise;
}

function unchanged(bytes: Buffer): Buffer {
  return bytes;
}
