import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { startDriver } from "../support/drivers";
import { type MetricFamily, parseExposition, valueOf } from "../support/exposition";
import type { HostileName } from "../support/hostile-behaviours";
import { startHostileDriver } from "../support/hostile-driver";
import { type Sidecar, startSidecar } from "../support/sidecar";
import { type SocketCaseName, createSocketCase } from "../support/socket-cases";
import { temporaryDirectory } from "../../scripts/temporary";

// A second is enough for a driver on a busy machine to show what is wrong with it.
const flags = (socketPath: string) => [
  "--http-endpoint=127.0.0.1:0",
  "--probe-timeout=1s",
  "--csi-address",
  socketPath,
];

describe.concurrent("an RPC that was started counts under its code, and the probe under its reason", () => {
  test.each<[HostileName, string, string]>([
    ["answers without ready (right)", "OK", "ready"],
    ["answers not ready by leaving it out (right)", "OK", "not_ready"],
    ["answers grpc-status 13 with message m13", "Internal", "rpc_error"],
    ["answers grpc-status 14 in trailers alone", "Unavailable", "rpc_error"],
    ["answers grpc-status 99", "Unknown", "rpc_error"],
    ["answers grpc-status abc", "Unknown", "rpc_error"],
    ["answers grpc-status 0 without a message", "Internal", "rpc_error"],
    ["answers two messages", "Internal", "rpc_error"],
    ["answers a message of 65,537 bytes", "ResourceExhausted", "rpc_error"],
    ["takes the request and never answers", "DeadlineExceeded", "hung"],
    ["loses the connection mid-call", "Unavailable", "closed"],
    ["sends GOAWAY after SETTINGS and closes", "Unavailable", "closed"],
    ["answers HTTP 404 without grpc-status", "Unimplemented", "not_grpc"],
  ])("a driver that %s: %s, %s", async (hostile, code, result) => {
    await using driver = await startHostileDriver(hostile);
    await using sidecar = await startSidecar(flags(driver.socketPath));
    await sidecar.get("/healthz");
    const families = await scrape(sidecar);
    expect({
      codes: probeCodes(families),
      results: resultsOf(families),
      ready: valueOf(families, "csi_livenessprobe_ready"),
    }).toEqual({ codes: { [code]: 1 }, results: { [result]: 1 }, ready: result === "ready" ? 1 : 0 });
  });
});

describe.concurrent("a connection that failed is no RPC: it counts under its reason alone", () => {
  test.each<[HostileName, string]>([
    ["accepts and never answers", "hung"],
    ["accepts and closes at once", "closed"],
    ["speaks HTTP/1.1", "not_grpc"],
  ])("a driver that %s: %s", async (hostile, result) => {
    await using driver = await startHostileDriver(hostile);
    expect(await countOf(driver.socketPath)).toEqual({ codes: {}, results: { [result]: 1 } });
  });

  test.each<[SocketCaseName, string]>([
    ["a missing file", "socket_missing"],
    ["a missing directory", "socket_missing"],
    ["a dangling symlink", "socket_missing"],
    ["a regular file", "not_a_socket"],
    ["a directory", "not_a_socket"],
    ["a stale socket", "nobody_listens"],
  ])("%s: %s", async (name, result) => {
    await using place = await createSocketCase(name);
    expect(await countOf(place.path)).toEqual({ codes: {}, results: { [result]: 1 } });
  });
});

test.concurrent("ready is absent before the first result, then 1 or 0", async () => {
  await using driver = await startDriver("grpc-js");
  await using sidecar = await startSidecar(flags(driver.socketPath));
  const seen = [await readyOf(sidecar)];
  for (const mode of ["ready", "notready", "status 13 no", "absent", "hang"] as const) {
    await driver.send(`mode ${mode}`);
    await sidecar.get("/healthz");
    seen.push(await readyOf(sidecar));
  }
  expect(seen).toEqual([undefined, 1, 0, 0, 1, 0]);
});

test.concurrent(
  "before the first result there is no timestamp, no phase and no RPC of a probe, but every result at 0",
  async () => {
    await using sidecar = await startSidecar(flags("/nowhere/csi.sock"));
    const families = await scrape(sidecar);
    expect([...families.keys()].filter((name) => name.startsWith("csi_"))).toEqual([
      "csi_livenessprobe_probes_total",
      "csi_livenessprobe_build_info",
    ]);
    expect(families.get("csi_livenessprobe_probes_total")?.samples.map(({ value }) => value)).toEqual(
      Array.from({ length: 11 }, () => 0),
    );
  },
);

test.concurrent("connecting is no part of an RPC's duration, but a phase of its own", async () => {
  using directory = temporaryDirectory();
  const socketPath = join(directory.path, "csi.sock");
  await using sidecar = await startSidecar([...flags(socketPath), "--probe-timeout=15s"]);
  const answer = sidecar.get("/healthz");
  const start = performance.now();
  await using driver = await startDriver("grpc-js", { socketPath });
  const waitedSeconds = (performance.now() - start) / 1_000;
  expect((await answer).status).toBe(200);
  await sidecar.waitForLog((line) => line.includes("CSI driver name"));

  const families = await scrape(sidecar);
  const phase = (name: string) => valueOf(families, "csi_livenessprobe_phase_seconds_sum", { phase: name });
  const samples = families.get("csi_sidecar_operations_seconds")?.samples ?? [];
  const probe = samples.find(({ name, labels }) => name.endsWith("_sum") && labels["method_name"]?.endsWith("/Probe"));
  // Half of it, for the probe may have begun a little later.
  expect(phase("connect")).toBeGreaterThan(waitedSeconds / 2);
  expect(probe?.value).toBe(phase("call"));
  expect(driver.events.filter(({ event }) => event === "rpc")).toHaveLength(2);
});

test.concurrent("a driver's name is escaped in its label", async () => {
  await using driver = await startDriver("grpc-js", { name: 'a"b\\c\u001b' });
  await using sidecar = await startSidecar(flags(driver.socketPath));
  await sidecar.waitForLog((line) => line.includes("CSI driver name"));
  await sidecar.get("/healthz");
  const probes = operations(await scrape(sidecar), "/csi.v1.Identity/Probe");
  expect(probes.map(({ labels }) => labels["driver_name"])).toEqual(['a"b\\c\\x1b']);
});

async function countOf(socketPath: string) {
  await using sidecar = await startSidecar(flags(socketPath));
  await sidecar.get("/healthz");
  const families = await scrape(sidecar);
  return { codes: probeCodes(families), results: resultsOf(families) };
}

async function readyOf(sidecar: Sidecar): Promise<number | undefined> {
  return valueOf(await scrape(sidecar), "csi_livenessprobe_ready");
}

async function scrape(sidecar: Sidecar): Promise<ReadonlyMap<string, MetricFamily>> {
  return parseExposition(await (await sidecar.get("/metrics")).text());
}

function operations(families: ReadonlyMap<string, MetricFamily>, method: string) {
  const samples = families.get("csi_sidecar_operations_seconds")?.samples ?? [];
  return samples.filter(({ name, labels }) => name.endsWith("_count") && labels["method_name"] === method);
}

/** How many probes there were by status code. */
function probeCodes(families: ReadonlyMap<string, MetricFamily>): Readonly<Record<string, number>> {
  const probes = operations(families, "/csi.v1.Identity/Probe");
  return Object.fromEntries(probes.map(({ labels, value }) => [labels["grpc_status_code"] ?? "", value]));
}

/** How many probes there were by result, without those that did not occur. */
function resultsOf(families: ReadonlyMap<string, MetricFamily>): Readonly<Record<string, number>> {
  const samples = families.get("csi_livenessprobe_probes_total")?.samples ?? [];
  return Object.fromEntries(
    samples.filter(({ value }) => value > 0).map(({ labels, value }) => [labels["result"] ?? "", value]),
  );
}
