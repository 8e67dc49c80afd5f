import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { availableDrivers, startDriver } from "../support/drivers";
import { parseExposition, valueOf } from "../support/exposition";
import { startHostileDriver } from "../support/hostile-driver";
import { callHealthz } from "../support/healthz-callers";
import { says } from "../support/log-lines";
import { quietFds } from "../support/quiet-fds";
import { askAndHangUp } from "../support/raw-http";
import { runSidecar, type Sidecar, startSidecar } from "../support/sidecar";
import { temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "../support/wait";

// Nearly every CSI driver is one of grpc-go's.
const [implementation = "grpc-js"] = await availableDrivers();

test.concurrent("it listens with no driver there, and lives on whatever the driver does", async () => {
  using directory = temporaryDirectory();
  const socketPath = join(directory.path, "csi.sock");
  await using sidecar = await startSidecar(["--health-port=0", "--probe-timeout=1s", "--csi-address", socketPath]);
  const told = [await beginningOf(sidecar)];
  {
    await using driver = await startDriver(implementation, { socketPath });
    told.push(await beginningOf(sidecar));
    await driver.pause();
    told.push(await beginningOf(sidecar));
    driver.resume();
    told.push(await beginningOf(sidecar));
    await driver.send("mode status 13 m13");
    told.push(await beginningOf(sidecar));
    await driver.kill();
    told.push(await beginningOf(sidecar));
  }
  {
    await using driver = await startDriver(implementation, { socketPath });
    told.push(await beginningOf(sidecar));
    await driver.stop();
    told.push(await beginningOf(sidecar));
  }
  expect(told).toEqual([
    "500 no such file",
    "200 ok",
    "500 driver hung",
    "200 ok",
    "500 rpc error",
    "500 nobody listens",
    "200 ok",
    "500 no such file",
  ]);
});

// By itself: after the stop the driver has a quarter of a second, which is short beside other tests.
test("a sidecar that was stopped while it waited calls no ready driver hung", async () => {
  await using driver = await startDriver(implementation);
  await using sidecar = await startSidecar([
    "--health-port=0",
    "--probe-timeout=2s",
    "--csi-address",
    driver.socketPath,
  ]);
  expect(await beginningOf(sidecar)).toBe("200 ok");
  await driver.pause();
  const open = await quietFds(sidecar, () => true);
  const told = beginningOf(sidecar);
  await waitUntil(() => sidecar.fds() >= open + 2, "the sidecar to be asked, and to be connected to the driver");
  process.kill(sidecar.pid, "SIGSTOP");
  driver.resume();
  // The timeout has to pass while the sidecar does not run.
  await Bun.sleep(2_500);
  process.kill(sidecar.pid, "SIGCONT");
  expect(await told).toBe("200 ok");
});

test.concurrent(
  "unlike the Go sidecar, a driver that cannot tell its name ends nothing, and healthz does not wait for the name",
  async () => {
    await using driver = await startDriver("grpc-js", { name: "late.csi.test" });
    await driver.send("info hang");
    await using sidecar = await startSidecar([
      "--http-endpoint=127.0.0.1:0",
      "--probe-timeout=1s",
      "--csi-address",
      driver.socketPath,
    ]);
    expect(await (await sidecar.get("/healthz")).text()).toBe("ok");
    await sidecar.waitForLog(says("CSI driver did not tell its name"));
    await driver.send("info status 13 not today");
    await sidecar.waitForLog((line) => line.includes("desc = not today"));
    await driver.send("info ready");
    expect(await sidecar.waitForLog(says("CSI driver name"))).toContain('driver="late.csi.test"');
  },
);

test.concurrent("a driver that comes up later is asked for its name in the background", async () => {
  using directory = temporaryDirectory();
  const socketPath = join(directory.path, "csi.sock");
  await using sidecar = await startSidecar([
    "--health-port=0",
    "--probe-timeout=100ms",
    "--v=2",
    "--csi-address",
    socketPath,
  ]);
  await sidecar.waitForLog(says("CSI driver did not tell its name"));
  await using driver = await startDriver("grpc-js", { socketPath, name: "late.csi.test" });
  expect(await sidecar.waitForLog(says("CSI driver name"))).toContain('driver="late.csi.test"');
  expect(driver.events.filter(({ event }) => event === "rpc")).toHaveLength(1);
});

test.concurrent(
  "as with the Go sidecar the name is asked for until it is known: a driver that takes another's place is not asked again",
  async () => {
    using directory = temporaryDirectory();
    const socketPath = join(directory.path, "csi.sock");
    await using first = await startDriver("grpc-js", { socketPath, name: "first.csi.test" });
    await using sidecar = await startSidecar(["--health-port=0", "--csi-address", socketPath]);
    await sidecar.waitForLog(says("CSI driver name"));
    await first.stop();
    await using second = await startDriver("grpc-js", { socketPath, name: "second.csi.test" });
    expect(await (await sidecar.get("/healthz")).text()).toBe("ok");
    const rpcs = () => second.events.filter(({ event }) => event === "rpc");
    await waitUntil(() => rpcs().length > 0, "the driver to tell of its call");
    expect(rpcs()).toHaveLength(1);
  },
);

describe.concurrent("unlike with the Go sidecar, a client that goes away ends no probe, and its result counts", () => {
  test("as ready", async () => {
    await using driver = await startDriver("grpc-js", { mode: "slow 300" });
    await using sidecar = await startSidecar(["--http-endpoint=127.0.0.1:0", "--csi-address", driver.socketPath]);
    await sidecar.waitForLog(says("CSI driver name"));
    await askAndHangUp(sidecar.url, "/healthz", () =>
      driver.waitFor((event) => event.event === "rpc" && event.method.endsWith("/Probe")),
    );
    expect(await countsOf(sidecar, "ready", "OK", driver.name)).toEqual({ probes: 1, rpcs: 1, canceled: undefined });
    expect(await sidecar.waitForLog(says("CSI driver is ready"))).toStartWith("I");
  });

  test("as hung", async () => {
    await using driver = await startHostileDriver("takes the request and never answers");
    await using sidecar = await startSidecar([
      "--http-endpoint=127.0.0.1:0",
      "--probe-timeout=400ms",
      "--csi-address",
      driver.socketPath,
    ]);
    await sidecar.waitForLog(says("CSI driver did not tell its name"));
    const before = driver.connections.total;
    await askAndHangUp(sidecar.url, "/healthz", () =>
      waitUntil(() => driver.connections.total > before, "the probe's connection"),
    );
    const counts = await countsOf(sidecar, "hung", "DeadlineExceeded", "unknown-driver");
    expect(counts).toEqual({ probes: 1, rpcs: 1, canceled: undefined });
    expect(await sidecar.waitForLog(says("CSI driver failed its probe"))).toContain('reason="hung"');
  });
});

/** An answer's status and the words before the first colon of its body. */
async function beginningOf(sidecar: Sidecar): Promise<string> {
  const response = await sidecar.get("/healthz");
  return `${response.status} ${(await response.text()).split(":")[0] ?? ""}`;
}

/** What was counted once the probe had ended. */
async function countsOf(sidecar: Sidecar, result: string, code: string, driverName: string) {
  const scrape = async () => parseExposition(await (await sidecar.get("/metrics")).text());
  const probesIn = (families: Awaited<ReturnType<typeof scrape>>) =>
    valueOf(families, "csi_livenessprobe_probes_total", { result }) ?? 0;
  const families = await waitUntil(async () => {
    const now = await scrape();
    return probesIn(now) > 0 && now;
  }, `a probe to count as ${result}`);
  const rpcs = (statusCode: string) =>
    valueOf(families, "csi_sidecar_operations_seconds_count", {
      driver_name: driverName,
      grpc_status_code: statusCode,
      method_name: "/csi.v1.Identity/Probe",
    });
  return { probes: probesIn(families), rpcs: rpcs(code), canceled: rpcs("Canceled") };
}

test.concurrent("a fault that nothing foresees is one line, and exit code 1 for a new start", async () => {
  using directory = temporaryDirectory();
  const trap = join(directory.path, "trap.js");
  await Bun.write(trap, 'setTimeout(() => { throw new Error("out of\\nthe blue"); }, 200);\n');
  const { code, stderr } = await runSidecar(["--health-port=0", `--csi-address=${directory.path}/csi.sock`], {
    env: { BUN_OPTIONS: `--preload ${trap}` },
  });
  expect(code).toBe(1);
  const last = stderr.trimEnd().split("\n").at(-1);
  expect(last).toMatch(/^livenessprobe: unexpected error, please report it as a bug: Error: out of \| the blue \| at /);
});

test.concurrent("a driver that takes 13 s is waited for, where --probe-timeout allows it", async () => {
  await using driver = await startDriver(implementation, { mode: "slow 13000" });
  await using sidecar = await startSidecar([
    "--health-port=0",
    "--probe-timeout=20s",
    `--csi-address=${driver.socketPath}`,
  ]);
  const { status, elapsedMs } = await callHealthz(sidecar.url);
  expect(status).toBe(200);
  expect(elapsedMs).toBeGreaterThan(12_900);
});
