import { describe, expect, test } from "bun:test";
import type { DriverMode } from "../support/driver-protocol";
import { startDriver } from "../support/drivers";
import { parseKlog, says } from "../support/log-lines";
import { type Sidecar, startSidecar } from "../support/sidecar";
import packageJson from "../../package.json" with { type: "json" };

const NOWHERE = "--csi-address=/nowhere/csi.sock";

describe.concurrent("text", () => {
  test("is klog's, line for line, with the process id in seven columns", async () => {
    await using driver = await startDriver("grpc-js");
    await using sidecar = await startSidecar([
      "--http-endpoint=127.0.0.1:0",
      "--v=5",
      "--csi-address",
      driver.socketPath,
    ]);
    await sidecar.waitForLog(says("CSI driver name"));
    await askInTurn(sidecar, 2);
    await sidecar.waitForLog(says("Probed the CSI driver"));
    const lines = sidecar.logLines.map(parseKlog);
    expect(lines.length).toBeGreaterThanOrEqual(5);
    expect([...new Set(lines.map(({ pid }) => pid))]).toEqual([String(sidecar.pid).padStart(7)]);
    expect([...new Set(lines.map(({ severity }) => severity))]).toEqual(["I"]);
  });

  test.each([
    ["UTC", 0],
    ["Asia/Kolkata", 5.5],
    ["America/Phoenix", -7],
  ])("is in the local time of %s", async (zone, hours) => {
    const before = Date.now();
    await using sidecar = await startSidecar(["--health-port=0", NOWHERE], { env: { TZ: zone } });
    const local = parseKlog(sidecar.logLines[0] ?? "").time;
    const offsetMs = hours * 3_600_000;
    const year = new Date(before + offsetMs).getUTCFullYear();
    const [, month = "", day = "", time = ""] = /^(\d\d)(\d\d) (\S+)$/.exec(local) ?? [];
    const toldMs = Date.parse(`${year}-${month}-${day}T${time.slice(0, 12)}Z`) - offsetMs;
    expect(toldMs).toBeWithin(before - 1_000, Date.now() + 1_000);
  });
});

describe.concurrent("the start is told in these lines, and no others", () => {
  test.each([
    ["with an endpoint", ["--http-endpoint=127.0.0.1:0"], ['flag="--http-endpoint" address="127.0.0.1:PORT"']],
    [
      "with a metrics address, one more",
      ["--health-port=0", "--metrics-address=127.0.0.1:0"],
      ['flag="--health-port" address="[::]:PORT"', 'flag="--metrics-address" address="127.0.0.1:PORT"'],
    ],
  ])("%s", async (_, flags, listeners) => {
    await using sidecar = await startSidecar([...flags, NOWHERE]);
    await sidecar.waitForLog(says("Asking CSI driver for its name"));
    expect(sidecar.logLines.map(masked)).toEqual([
      `I serve.ts] "Starting livenessprobe" version="${packageJson.version}" commit="COMMIT" csiAddress="/nowhere/csi.sock"`,
      ...listeners.map((listener) => `I serve.ts] "Listening" ${listener}`),
      'I driver-name.ts] "Asking CSI driver for its name" address="/nowhere/csi.sock"',
    ]);
  });
});

test.concurrent("the first result and each change of kind or reason are told once, and never a request", async () => {
  await using driver = await startDriver("grpc-js", { name: "a.csi.test" });
  await using sidecar = await startSidecar(["--health-port=0", "--csi-address", driver.socketPath]);
  await sidecar.waitForLog(says("CSI driver name"));
  await askInTurn(sidecar, 5);
  for (const mode of [
    "notready",
    "notready-empty",
    "status 13 m13",
    "status 14 m14",
    "absent",
  ] satisfies DriverMode[]) {
    await driver.send(`mode ${mode}`);
    await askInTurn(sidecar, 5);
  }
  await sidecar.waitForLog(says("CSI driver is ready again"));
  const told = sidecar.logLines.map(parseKlog).filter(({ file }) => file.startsWith("prober.ts"));
  expect(told.map((line) => `${line.severity} ${line.message} ${line.values["err"] ?? ""}`.trimEnd())).toEqual([
    "I CSI driver is ready",
    'E CSI driver failed its probe "driver responded but is not ready"',
    'E CSI driver failed its probe "rpc error: code = Internal desc = m13"',
    "I CSI driver is ready again",
  ]);
  expect(told.map(({ values }) => values["reason"] ?? values["failedProbes"])).toEqual([
    undefined,
    '"not_ready"',
    '"rpc_error"',
    "20",
  ]);
  expect(told.every(({ values }) => values["driver"] === '"a.csi.test"')).toBe(true);
  expect(told.at(-1)?.values["failedFor"]).toMatch(/^"\d[\dms.]*"$/);
});

test.concurrent("a first result that is a failure is told as one", async () => {
  await using sidecar = await startSidecar(["--health-port=0", "--probe-timeout=50ms", NOWHERE]);
  await sidecar.get("/healthz");
  const line = parseKlog(await sidecar.waitForLog(says("CSI driver failed its probe")));
  expect([line.severity, line.values["reason"], line.values["driver"]]).toEqual([
    "E",
    '"socket_missing"',
    '"unknown-driver"',
  ]);
});

test.concurrent(
  "why the driver tells no name is told at the default verbosity, also where nobody asks for its state",
  async () => {
    await using sidecar = await startSidecar(["--health-port=0", "--probe-timeout=50ms", NOWHERE]);
    const line = parseKlog(await sidecar.waitForLog(says("CSI driver did not tell its name")));
    expect([line.severity, line.values["reason"]]).toEqual(["E", '"socket_missing"']);
    expect(line.values["err"]).toStartWith('"no such file: /nowhere/csi.sock does not exist');
  },
);

describe.concurrent("each probe is told", () => {
  test.each([
    ["at verbosity 5", ["--v=5"], 3],
    ["not at verbosity 4", ["--v=4"], 0],
    ["where vmodule raises the prober's file", ["--vmodule=prober=5"], 3],
    ["where a pattern of vmodule fits it", ["--vmodule=x=1,pro*=9"], 3],
    ["not where vmodule raises another file", ["--vmodule=serve=5"], 0],
    ["where vmodule would lower what v says, as in klog", ["--v=5", "--vmodule=prober=0"], 3],
  ])("%s", async (_, flags, times) => {
    await using driver = await startDriver("grpc-js");
    await using sidecar = await startSidecar(["--health-port=0", ...flags, "--csi-address", driver.socketPath]);
    await askInTurn(sidecar, 3);
    // What comes behind all the others' lines.
    sidecar.signal("SIGTERM");
    await sidecar.exited;
    expect(sidecar.logLines.filter(says("Probed the CSI driver"))).toHaveLength(times);
    expect(sidecar.logLines.filter(says("CSI driver is ready"))).toHaveLength(1);
  });
});

test.concurrent("at verbosity 5 a failed probe is told with its reason, its message and how long it took", async () => {
  await using driver = await startDriver("grpc-js", { mode: "status 13 m13" });
  await using sidecar = await startSidecar(["--health-port=0", "--v=5", "--csi-address", driver.socketPath]);
  await sidecar.get("/healthz");
  const line = parseKlog(await sidecar.waitForLog(says("Probed the CSI driver")));
  expect(line.severity).toBe("I");
  expect(line.values).toEqual({
    driver: expect.any(String),
    result: '"rpc_error"',
    message: '"rpc error: code = Internal desc = m13"',
    elapsed: expect.stringMatching(/^"[\d.]+(µs|ms|s)"$/),
  });
});

/** Requests that do not share a probe. */
async function askInTurn(sidecar: Sidecar, times: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
  for (let time = 0; time < times; time += 1) await (await sidecar.get("/healthz")).text();
}

/** A klog line without what differs from run to run. */
function masked(line: string): string {
  return line
    .replace(/^(.)\d{4} [\d:.]+ +\d+ ([a-z-]+\.ts):\d+\]/, "$1 $2]")
    .replace(/:[1-9]\d*"/, ':PORT"')
    .replace(/commit="[^"]+"/, 'commit="COMMIT"');
}
