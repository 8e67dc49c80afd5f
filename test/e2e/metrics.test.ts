import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startDriver, type RunningDriver } from "../support/drivers";
import { type MetricFamily, parseExposition, valueOf } from "../support/exposition";
import { says } from "../support/log-lines";
import { findPromtool } from "../support/prometheus-programs";
import { startRecordingDriver } from "../support/recording-driver";
import { type Sidecar, startSidecar } from "../support/sidecar";
import { waitUntil } from "../support/wait";
import packageJson from "../../package.json" with { type: "json" };

const BOUND_MS = 15_000;
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

let driver: RunningDriver;
let sidecar: Sidecar;
let families: ReadonlyMap<string, MetricFamily>;
const startedAfter = Date.now() / 1_000;

// One probe of a ready driver whose name is known.
beforeAll(async () => {
  driver = await startDriver("grpc-js", { name: "a.csi.test" });
  sidecar = await startSidecar(["--http-endpoint=127.0.0.1:0", "--csi-address", driver.socketPath]);
  await sidecar.waitForLog(says("CSI driver name"));
  expect((await sidecar.get("/healthz")).status).toBe(200);
  families = parseExposition(await (await sidecar.get("/metrics")).text());
});
afterAll(async () => {
  await sidecar[Symbol.asyncDispose]();
  await driver[Symbol.asyncDispose]();
});

describe("a scrape", () => {
  test.each([
    ["by curl", "*/*"],
    ["by a Prometheus that asks for OpenMetrics", "application/openmetrics-text;version=1.0.0;q=0.6,*/*;q=0.1"],
    ["by one that asks for protobuf", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"],
  ])("%s is the text format", async (_, accept) => {
    const { status, headers } = await sidecar.get("/metrics", { headers: { accept } });
    expect({ status, type: headers.get("content-type") }).toEqual({ status: 200, type: CONTENT_TYPE });
  });

  test.each([
    ["gzip", "gzip"],
    ["deflate, gzip;q=0.5", "gzip"],
    ["identity", null],
    ["gzip;q=0", null],
    ["br", null],
  ])("with Accept-Encoding %p is compressed as %p", async (acceptEncoding, encoding) => {
    const headers = { "accept-encoding": acceptEncoding };
    const response = await sidecar.get("/metrics", { headers, decompress: false });
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect({
      encoding: response.headers.get("content-encoding"),
      type: response.headers.get("content-type"),
    }).toEqual({ encoding, type: CONTENT_TYPE });
    const text = new TextDecoder().decode(encoding === null ? bytes : Bun.gunzipSync(bytes));
    expect(parseExposition(text).size).toBe(families.size);
  });

  test("tells in Process-Start-Time-Unix when the process started, in whole seconds", async () => {
    const { headers } = await sidecar.get("/metrics");
    const seconds = headers.get("process-start-time-unix") ?? "";
    expect(seconds).toMatch(/^\d{10}$/);
    expect(Number(seconds)).toBe(Math.floor(valueOf(families, "process_start_time_seconds") ?? 0));
  });

  test("has a counter, gauge or histogram in each family, and what each means", () => {
    for (const { type, help, samples } of families.values()) {
      expect(type).toMatch(/^(counter|gauge|histogram)$/);
      expect(help).toMatch(/\S/);
      expect(samples.length).toBeGreaterThan(0);
    }
  });
});

describe("the Go sidecar's families are to the letter", () => {
  test("csi_sidecar_operations_seconds", () => {
    const family = families.get("csi_sidecar_operations_seconds");
    expect([family?.type, family?.help]).toEqual([
      "histogram",
      "[ALPHA] Container Storage Interface operation duration with gRPC error code status total",
    ]);
  });

  test.each([
    ["the probe counts under the driver's name", "a.csi.test", "/csi.v1.Identity/Probe"],
    ["the question for its name counts as unknown-driver's", "unknown-driver", "/csi.v1.Identity/GetPluginInfo"],
  ])("%s, in its buckets", (_, driverName, method) => {
    const labels = { driver_name: driverName, grpc_status_code: "OK", method_name: method };
    const samples = families.get("csi_sidecar_operations_seconds")?.samples ?? [];
    const buckets = samples.filter((one) => one.name.endsWith("_bucket") && one.labels["method_name"] === method);
    expect(buckets.map((bucket) => bucket.labels)).toEqual(
      ["0.1", "0.25", "0.5", "1", "2.5", "5", "10", "15", "25", "50", "120", "300", "600", "+Inf"].map((le) => ({
        ...labels,
        le,
      })),
    );
    expect(valueOf(families, "csi_sidecar_operations_seconds_count", labels)).toBe(1);
    expect(buckets.at(-1)?.value).toBe(1);
    expect(valueOf(families, "csi_sidecar_operations_seconds_sum", labels)).toBeWithin(0, BOUND_MS / 1_000);
  });

  test("process_start_time_seconds", () => {
    const family = families.get("process_start_time_seconds");
    expect([family?.type, family?.help]).toEqual([
      "gauge",
      "[ALPHA] Start time of the process since unix epoch in seconds.",
    ]);
    // The clock of the kernel and that of the runtime may be some milliseconds apart.
    expect(family?.samples[0]?.value).toBeWithin(startedAfter - 1, Date.now() / 1_000 + 1);
  });
});

describe("our families", () => {
  test("have the driver's name, all of them and in each sample", () => {
    const ours = [...families.values()].filter(({ name }) => name.startsWith("csi_livenessprobe_"));
    expect(ours.length).toBeGreaterThanOrEqual(5);
    const names = ours.flatMap(({ samples }) => samples.map(({ labels }) => labels["driver_name"]));
    expect(new Set(names)).toEqual(new Set(["a.csi.test"]));
  });

  test("csi_livenessprobe_probes_total has every result", () => {
    const samples = families.get("csi_livenessprobe_probes_total")?.samples ?? [];
    expect(Object.fromEntries(samples.map(({ labels, value }) => [labels["result"], value]))).toEqual({
      ready: 1,
      not_ready: 0,
      socket_missing: 0,
      not_a_socket: 0,
      nobody_listens: 0,
      permission_denied: 0,
      hung: 0,
      closed: 0,
      not_grpc: 0,
      rpc_error: 0,
      internal: 0,
    });
  });

  test.each(["connect", "call"])(
    "csi_livenessprobe_phase_seconds{phase=%p} has buckets from 100 µs to 10 s",
    (phase) => {
      const samples = families.get("csi_livenessprobe_phase_seconds")?.samples ?? [];
      const bounds = samples.flatMap(({ labels }) => (labels["phase"] === phase ? (labels["le"] ?? []) : []));
      expect([bounds[0], bounds.at(-2), bounds.at(-1)]).toEqual(["0.0001", "10", "+Inf"]);
      expect(valueOf(families, "csi_livenessprobe_phase_seconds_count", { phase })).toBe(1);
    },
  );

  test("csi_livenessprobe_last_probe_timestamp_seconds is when the probe ended", () => {
    const value = valueOf(families, "csi_livenessprobe_last_probe_timestamp_seconds");
    expect(value).toBeWithin(startedAfter, Date.now() / 1_000 + 0.001);
  });

  test("csi_livenessprobe_build_info is 1, and tells the versions", () => {
    const [sample] = families.get("csi_livenessprobe_build_info")?.samples ?? [];
    expect(sample).toEqual({
      name: "csi_livenessprobe_build_info",
      labels: {
        driver_name: "a.csi.test",
        version: packageJson.version,
        commit: expect.stringMatching(/^([0-9a-f]{40}(-dirty)?|unknown)$/),
        bun_version: packageJson.devDependencies.bun,
      },
      value: 1,
    });
  });

  test.each([
    ["process_open_fds", "gauge"],
    ["process_max_fds", "gauge"],
    ["process_virtual_memory_bytes", "gauge"],
    ["process_virtual_memory_max_bytes", "gauge"],
    ["process_resident_memory_bytes", "gauge"],
  ])("%s, which the Go sidecar does not have, is a %s above zero", (name, type) => {
    expect(families.get(name)?.type).toBe(type);
    expect(valueOf(families, name)).toBeGreaterThan(0);
  });
});

test("process_cpu_seconds_total, which the Go sidecar does not have, is a counter that grows with what is done", async () => {
  // In steps of 10 ms: at first it may be 0.
  const grown = await waitUntil(async () => {
    const now = parseExposition(await (await sidecar.get("/metrics")).text());
    return (valueOf(now, "process_cpu_seconds_total") ?? 0) > 0 && now;
  }, "CPU time to be counted");
  expect(grown.get("process_cpu_seconds_total")?.type).toBe("counter");
});

test("a scrape asks the driver nothing", async () => {
  await using recorder = await startRecordingDriver();
  await using scraped = await startSidecar(["--http-endpoint=127.0.0.1:0", "--csi-address", recorder.socketPath]);
  await scraped.waitForLog(says("CSI driver name"));
  for (const _ of Array.from({ length: 5 })) expect((await scraped.get("/metrics")).status).toBe(200);
  // The probe that follows is the second connection: the first one asked for the name.
  expect(await (await scraped.get("/healthz")).text()).toBe("ok");
  expect(recorder.connections.flatMap(({ requests }) => requests.map(({ path }) => path))).toEqual([
    "/csi.v1.Identity/GetPluginInfo",
    "/csi.v1.Identity/Probe",
  ]);
});

const promtool = await findPromtool();

test.if(promtool !== undefined)("promtool has no complaint", async () => {
  const text = await (await sidecar.get("/metrics")).text();
  const command = [promtool ?? "", "check", "metrics"];
  const child = Bun.spawn(command, { stdin: new Blob([text]), stdout: "pipe", stderr: "pipe" });
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
});
