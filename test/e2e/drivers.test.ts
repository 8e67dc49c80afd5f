import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { DriverEvent, DriverMode, RpcEvent } from "../support/driver-protocol";
import { availableDrivers, type RunningDriver, startDriver } from "../support/drivers";
import { startRecordingDriver } from "../support/recording-driver";
import { type Sidecar, startSidecar } from "../support/sidecar";
import { temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "../support/wait";

const TIMEOUT_MS = 500;
/** For probes that are to be answered, on a busy machine too. */
const LONG_MS = 10_000;
const BOUND_MS = 20_000;
const PROBES = 10;

const implementations = await availableDrivers();

describe.each(implementations)("a driver on %s", (implementation) => {
  test.concurrent.each<[DriverMode, number, RegExp]>([
    ["ready", 200, /^ok$/],
    ["absent", 200, /^ok$/],
    ["trailers", 200, /^ok$/],
    ["slow 300", 200, /^ok$/],
    ["notready", 500, /^driver responded but is not ready$/],
    ["notready-empty", 500, /^driver responded but is not ready$/],
    ["status 13 m13", 500, /^rpc error: code = Internal desc = m13$/],
    ["status 14 not just now", 500, /^rpc error: code = Unavailable desc = not just now$/],
    ['status 9 "100% é"', 500, /^rpc error: code = FailedPrecondition desc = "100% é"$/],
  ])("in mode %s: %d", async (mode, status, body) => {
    await using driver = await startDriver(implementation, { mode });
    await using sidecar = await start(driver.socketPath, LONG_MS);
    expect(await healthz(sidecar)).toEqual([status, expect.stringMatching(body)]);
  });

  // Eight digits of milliseconds, as a grpc-timeout may have, are 27.7 hours.
  test.concurrent.each(["27h46m39.9s", "30h", "596h"])("is asked with a --probe-timeout of %s", async (timeout) => {
    await using driver = await startDriver(implementation);
    await using sidecar = await startSidecar([
      `--csi-address=${driver.socketPath}`,
      "--http-endpoint=127.0.0.1:0",
      `--probe-timeout=${timeout}`,
    ]);
    expect(await healthz(sidecar)).toEqual([200, "ok"]);
  });

  test.concurrent("in mode hang: 500 after the timeout, each time anew", async () => {
    await using driver = await startDriver(implementation, { mode: "hang" });
    await using sidecar = await start(driver.socketPath, TIMEOUT_MS);
    const hung =
      /^driver hung: HTTP\/2 is up on .*, but Identity\/Probe was not answered within ([5-9]\d\dms|[\d.]+s);/;
    for (let probe = 0; probe < 3; probe += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      expect(await healthz(sidecar)).toEqual([500, expect.stringMatching(hung)]);
    }
    await driver.send("mode ready");
    expect(await healthz(sidecar)).toEqual([200, "ok"]);
  });

  test.concurrent(
    "sees each probe as one call of Identity/Probe to localhost, with nothing in it and a deadline",
    async () => {
      await using driver = await startDriver(implementation);
      await using sidecar = await start(driver.socketPath, LONG_MS);
      await probeInTurn(sidecar);
      await waitUntil(() => rpcs(driver).length > PROBES, "all calls to be told of, GetPluginInfo too");
      const probes = rpcs(driver).filter(({ method }) => method.endsWith("Probe"));
      expect(probes).toEqual(
        Array.from({ length: PROBES }, () => ({
          event: "rpc",
          deadlineMs: expect.any(Number),
          method: "/csi.v1.Identity/Probe",
          requestBytes: 0,
          authority: "localhost",
          userAgent: expect.stringMatching(/^livenessprobe\/\d+\.\d+\.\d+/),
        })),
      );
      const deadlines = probes.map(({ deadlineMs = 0 }) => deadlineMs);
      expect(deadlines.filter((ms) => ms <= LONG_MS / 2 || ms > LONG_MS)).toEqual([]);
      expect(rpcs(driver).filter(({ method }) => !method.endsWith("Probe"))).toHaveLength(1);
    },
  );

  test.concurrent("is asked for its name, which its metrics then bear", async () => {
    await using driver = await startDriver(implementation, { name: "a.csi.test" });
    await using sidecar = await start(driver.socketPath, LONG_MS);
    const line = await sidecar.waitForLog((logged) => logged.includes("CSI driver name"));
    expect(line).toContain('driver="a.csi.test" vendorVersion="1.0.0"');
    expect(await healthz(sidecar)).toEqual([200, "ok"]);
    expect(await (await sidecar.get("/metrics")).text()).toContain(
      'csi_sidecar_operations_seconds_count{driver_name="a.csi.test",grpc_status_code="OK",method_name="/csi.v1.Identity/Probe"} 1\n',
    );
  });

  test.concurrent("that is killed, restarted, stopped and continued is told of as what it is, each time", async () => {
    using directory = temporaryDirectory();
    const socketPath = join(directory.path, "csi.sock");
    await using sidecar = await start(socketPath, TIMEOUT_MS);
    expect(await healthz(sidecar)).toEqual([500, expect.stringMatching(/^no such file: /)]);
    await using first = await startDriver(implementation, { socketPath });
    await becomesReady(sidecar);
    await first.kill();
    expect(await healthz(sidecar)).toEqual([500, expect.stringMatching(/^nobody listens: /)]);
    await using second = await startDriver(implementation, { socketPath });
    await becomesReady(sidecar);
    await second.pause();
    expect(await healthz(sidecar)).toEqual([500, expect.stringMatching(/^driver hung: it took the connection /)]);
    second.resume();
    await becomesReady(sidecar);
    await second.stop();
    expect(await healthz(sidecar)).toEqual([500, expect.stringMatching(/^no such file: /)]);
  });

  test.concurrent("that appears while a probe waits is found by that very probe", async () => {
    using directory = temporaryDirectory();
    const socketPath = join(directory.path, "csi.sock");
    await using sidecar = await start(socketPath, BOUND_MS);
    const answer = healthz(sidecar);
    await using driver = await startDriver(implementation, { socketPath });
    expect(await answer).toEqual([200, "ok"]);
    const probed = () => rpcs(driver).filter(({ method }) => method.endsWith("Probe")).length;
    expect(await waitUntil(() => probed() > 0 && probed(), "the probe to be told of")).toBe(1);
    expect(await counted(sidecar)).toEqual(["ready 1"]);
  });

  test.concurrent("whose socket is deleted while it runs is noticed", async () => {
    await using driver = await startDriver(implementation);
    await using sidecar = await start(driver.socketPath, TIMEOUT_MS);
    await becomesReady(sidecar);
    rmSync(driver.socketPath);
    expect(await healthz(sidecar)).toEqual([500, expect.stringMatching(/^no such file: /)]);
  });
});

test.if(implementations.includes("go"))(
  "grpc-go counts one connection a probe, each closed before the next is there",
  async () => {
    await using driver = await startDriver("go");
    await using sidecar = await start(driver.socketPath, LONG_MS);
    await sidecar.waitForLog((line) => line.includes("CSI driver name"));
    await probeInTurn(sidecar);
    await waitUntil(() => connections(driver).at(-1)?.open === 0, "the last connection to be closed");
    const opened = connections(driver).filter(({ event }) => event === "connection");
    expect(opened).toHaveLength(PROBES + 1);
    expect(Math.max(...opened.map(({ open }) => open))).toBeLessThanOrEqual(2);
    expect(connections(driver).filter(({ event }) => event === "closed")).toHaveLength(PROBES + 1);
  },
);

test("on the wire each probe is one connection with one stream, and its headers are these and no others", async () => {
  await using driver = await startRecordingDriver();
  await using sidecar = await start(driver.socketPath, LONG_MS);
  await sidecar.waitForLog((line) => line.includes("CSI driver name"));
  await probeInTurn(sidecar);
  await waitUntil(() => driver.connections.every(({ closed }) => closed), "all connections to be closed");
  const [name, ...probes] = driver.connections;
  expect(name?.requests.map(({ path }) => path)).toEqual(["/csi.v1.Identity/GetPluginInfo"]);
  expect(probes.map(({ streams }) => streams)).toEqual(Array.from({ length: PROBES }, () => 1));
  for (const { requests } of probes) {
    expect(requests.map(({ body }) => body.toString("hex"))).toEqual(["0000000000"]);
    expect(requests.map(({ headers }) => Object.fromEntries(Object.entries(headers)))).toEqual([
      {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/csi.v1.Identity/Probe",
        ":authority": "localhost",
        "content-type": "application/grpc",
        te: "trailers",
        "user-agent": expect.stringMatching(/^livenessprobe\/\d+\.\d+\.\d+/),
        // Never above the timeout: what is left of it once connected.
        "grpc-timeout": expect.stringMatching(/^([1-9]\d{0,3}|10000)m$/),
      },
    ]);
  }
});

function start(socketPath: string, timeoutMs: number): Promise<Sidecar> {
  return startSidecar([
    "--csi-address",
    socketPath,
    "--http-endpoint",
    "127.0.0.1:0",
    "--probe-timeout",
    `${timeoutMs}ms`,
  ]);
}

async function healthz(sidecar: Sidecar): Promise<[status: number, body: string]> {
  const response = await sidecar.get("/healthz");
  return [response.status, await response.text()];
}

/** A driver that has just come up, on a machine busy with the other tests, may miss the short timeout at first. */
async function becomesReady(sidecar: Sidecar): Promise<void> {
  await waitUntil(async () => (await healthz(sidecar))[0] === 200, "the driver to be ready");
}

async function probeInTurn(sidecar: Sidecar): Promise<void> {
  for (let probe = 0; probe < PROBES; probe += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as the kubelet does
    expect(await healthz(sidecar)).toEqual([200, "ok"]);
  }
}

async function counted(sidecar: Sidecar): Promise<readonly string[]> {
  const metrics = await (await sidecar.get("/metrics")).text();
  const series = metrics.matchAll(/^csi_livenessprobe_probes_total\{.*result="(\w+)"\} ([1-9]\d*)$/gm);
  return [...series].map(([, result, count]) => `${result} ${count}`);
}

function rpcs({ events }: RunningDriver): readonly RpcEvent[] {
  return events.filter((event): event is RpcEvent => event.event === "rpc");
}

type ConnectionEvent = Extract<DriverEvent, { readonly open: number }>;

function connections({ events }: RunningDriver): readonly ConnectionEvent[] {
  return events.filter((event): event is ConnectionEvent => "open" in event);
}
