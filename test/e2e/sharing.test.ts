import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { startDriver } from "../support/drivers";
import { callHealthz } from "../support/healthz-callers";
import { type PacingDriver, startPacingDriver } from "../support/pacing-driver";
import { type Sidecar, startSidecar } from "../support/sidecar";
import { waitUntil } from "../support/wait";

setDefaultTimeout(60_000);

const CALLERS = 500;
const BOUND_MS = 5_000;
/** How much earlier than its time a timer may fire. */
const EARLY_MS = 2;

test("500 callers at once of a ready driver are all told so, over three connections at a time at most", async () => {
  await using driver = await startPacingDriver();
  await using sidecar = await startNamed(driver, "3s");
  const results = await callAtOnce(sidecar);
  expect(results.filter(({ status, body }) => status !== 200 || body !== "ok")).toEqual([]);
  expect(driver.connections.maxOpen).toBeWithin(1, 3);
  expect(driver.connections.total).toBeLessThan(CALLERS / 2);
});

test("500 callers at once of a slow driver are all told that it is ready, over three connections at a time at most", async () => {
  await using driver = await startPacingDriver();
  await using sidecar = await startNamed(driver, "4s");
  driver.setPace(400);
  const results = await callAtOnce(sidecar);
  expect(results.filter(({ status, body }) => status !== 200 || body !== "ok")).toEqual([]);
  expect(driver.connections.maxOpen).toBeWithin(1, 4);
  expect(driver.connections.total).toBeWithin(1, 5);
});

test("500 callers at once of a hung driver are each told so, and none before the whole timeout has passed since it asked", async () => {
  await using driver = await startPacingDriver();
  await using sidecar = await startNamed(driver, "500ms");
  driver.setPace("hang");
  // A probe is half over when they all come.
  const first = await callAndWaitForProbe(sidecar, driver, 250);
  const results = [...(await callAtOnce(sidecar)), await first.result];
  expect(results.filter(({ status, body }) => status !== 500 || !body.startsWith("driver hung: "))).toEqual([]);
  expect(results.filter(({ elapsedMs }) => elapsedMs < 500 - EARLY_MS)).toEqual([]);
  expect(driver.connections.maxOpen).toBeWithin(2, 4);
  expect(driver.connections.total).toBeWithin(2, 6);
  await waitUntil(() => driver.connections.open === 0, "all connections to be closed");
});

test("a caller who comes late is not given the timeout of a probe that began before", async () => {
  await using driver = await startPacingDriver();
  await using sidecar = await startNamed(driver, "600ms");
  driver.setPace("hang");
  const requests = driver.requests;
  const early = await callAndWaitForProbe(sidecar, driver, 200);
  const both = await Promise.all([early.result, callHealthz(sidecar.url)]);
  expect(both.map(({ status }) => status)).toEqual([500, 500]);
  expect(both.filter(({ elapsedMs }) => elapsedMs < 600 - EARLY_MS)).toEqual([]);
  expect(driver.requests).toBe(requests + 2);
});

test("three callers of a hung driver wait for the timeout of 3 s and a second at most", async () => {
  await using driver = await startDriver("grpc-js");
  await using sidecar = await startSidecar(["--csi-address", driver.socketPath, "--http-endpoint", "127.0.0.1:0"]);
  await sidecar.waitForLog((line) => line.includes("CSI driver name"));
  await driver.send("mode hang");
  const calls: ReturnType<typeof callHealthz>[] = [];
  for (const afterMs of [0, 150, 150]) {
    const atMs = performance.now() + afterMs;
    // oxlint-disable-next-line no-await-in-loop -- one caller after the other
    await waitUntil(() => performance.now() >= atMs, "the next caller's turn");
    calls.push(callHealthz(sidecar.url));
  }
  const results = await Promise.all(calls);
  expect(results.map(({ status }) => status)).toEqual([500, 500, 500]);
  // 4 s are promised. The rest is for a machine that has more to do, and less than the kubelet of the README waits.
  for (const { elapsedMs } of results) expect(elapsedMs).toBeWithin(3_000 - EARLY_MS, 4_750);
});

test("a driver that hangs from its start sees four connections at a time at most, and its callers wait no longer", async () => {
  await using driver = await startPacingDriver();
  driver.setPace("hang");
  const args = ["--csi-address", driver.socketPath, "--http-endpoint", "127.0.0.1:0", "--probe-timeout", "900ms"];
  await using sidecar = await startSidecar(args);
  const calls: ReturnType<typeof callHealthz>[] = [];
  const connections: number[] = [];
  const endMs = performance.now() + 3_000;
  await waitUntil(() => {
    calls.push(callHealthz(sidecar.url));
    connections.push(connectionsToDriver(sidecar.pid));
    return performance.now() >= endMs;
  }, "three seconds of callers");
  const results = await Promise.all(calls);
  expect(results.filter(({ status }) => status !== 500)).toEqual([]);
  expect(results.filter(({ elapsedMs }) => elapsedMs > 1_900 + 750)).toEqual([]);
  expect(Math.max(...connections)).toBeWithin(3, 5);
});

test("a driver that answers a later probe is ready to those who wait for an earlier one too", async () => {
  await using driver = await startPacingDriver();
  await using sidecar = await startNamed(driver, "10s");
  driver.setPace("hang");
  const early = await callAndWaitForProbe(sidecar, driver, 0);
  driver.setPace(0);
  const both = await Promise.all([early.result, callHealthz(sidecar.url)]);
  expect(both.map(({ status }) => status)).toEqual([200, 200]);
  expect(both.filter(({ elapsedMs }) => elapsedMs > BOUND_MS)).toEqual([]);
});

test("probes are counted, and not requests: by the sidecar as many as by the driver", async () => {
  await using driver = await startPacingDriver();
  await using sidecar = await startNamed(driver, "4s");
  driver.setPace(200);
  const requests = driver.requests;
  await callAtOnce(sidecar);
  await waitUntil(() => driver.connections.open === 0, "the last probe to end");
  const metrics = await (await sidecar.get("/metrics")).text();
  const counted = [...metrics.matchAll(/^csi_livenessprobe_probes_total\{.*result="(\w+)"\} ([1-9]\d*)$/gm)];
  expect(counted.map(([, result, count]) => [result, Number(count)])).toEqual([["ready", driver.requests - requests]]);
  expect(driver.requests - requests).toBeWithin(1, 5);
  expect(metrics).toMatch(
    new RegExp(`^csi_livenessprobe_phase_seconds_count{.*phase="call"} ${driver.requests - requests}$`, "m"),
  );
});

test("a caller who goes away ends no probe: its result is counted", async () => {
  await using driver = await startPacingDriver();
  await using sidecar = await startNamed(driver, "5s");
  driver.setPace(300);
  const requests = driver.requests;
  const leaving = new AbortController();
  const gone = sidecar.get("/healthz", { signal: leaving.signal }).catch(() => "gone");
  await waitUntil(() => driver.requests > requests, "the probe");
  leaving.abort();
  expect(await gone).toBe("gone");
  await waitUntil(
    async () =>
      /^csi_livenessprobe_probes_total{.*result="ready"} 1$/m.test(await (await sidecar.get("/metrics")).text()),
    "the probe to be counted",
  );
});

/** A sidecar that knows its driver's name, so that all further connections are probes. */
async function startNamed(driver: PacingDriver, timeout: string): Promise<Sidecar> {
  const args = ["--csi-address", driver.socketPath, "--http-endpoint", "127.0.0.1:0", "--probe-timeout", timeout];
  const sidecar = await startSidecar(args);
  await sidecar.waitForLog((line) => line.includes("CSI driver name"));
  await waitUntil(() => driver.connections.open === 0, "the driver's name to be asked for and told");
  driver.forget();
  return sidecar;
}

/** One caller, whose probe has reached the driver, `ms` ago. The result is in an object, for it is not awaited yet. */
async function callAndWaitForProbe({ url }: Sidecar, driver: PacingDriver, ms: number) {
  const requests = driver.requests;
  const result = callHealthz(url);
  await waitUntil(() => driver.requests > requests, "the first probe");
  const begunAt = performance.now();
  await waitUntil(() => performance.now() - begunAt >= ms, "some of its time to pass");
  return { result };
}

function callAtOnce({ url }: Sidecar) {
  return Promise.all(Array.from({ length: CALLERS }, () => callHealthz(url)));
}

/**
 * How many connected unix sockets a process has besides its standard streams: the sidecar's are those to its driver.
 */
function connectionsToDriver(pid: number): number {
  // Num RefCount Protocol Flags Type St Inode: St 03 is SS_CONNECTED.
  const rows = readFileSync("/proc/net/unix", "utf8").matchAll(/^\w+: \w+ \w+ \w+ \w+ 03 +(\d+)/gm);
  const connected = new Set([...rows].map(([, inode]) => `socket:[${inode}]`));
  for (const stream of ["1", "2"]) connected.delete(linkOf(`/proc/${pid}/fd/${stream}`));
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => connected.has(linkOf(`/proc/${pid}/fd/${fd}`))).length;
}

/** A descriptor may be closed while the directory is read. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
