import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FAILURE_REASONS } from "../../src/driver/diagnosis";
import type { DriverView } from "../../src/monitor/driver-record";
import { MAX_DRIVERS_WITH_SERIES, renderMetrics } from "../../src/monitor/metrics";
import { createHistory } from "../../src/monitor/page/history";
import { readProcessMetrics } from "../../src/metrics/process";
import { parseExposition, type Sample } from "../support/exposition";
import { documentedLabels } from "../support/monitoring-page";
import { driverReport } from "../support/sample-reports";

/** The budgets: series of one driver, and of the monitor itself. */
const MAX_SERIES_OF_A_DRIVER = 12;
const MAX_OWN_SERIES = 25;

test.each<readonly [string, Partial<DriverView>, readonly string[]]>([
  [
    "a driver that is ready",
    {},
    [
      "csi_node_driver_ready{} 1",
      "csi_node_driver_probes_total{result=ready} 5",
      "csi_node_driver_probes_total{result=not_ready} 0",
      "csi_node_driver_probes_total{result=failed} 2",
      "csi_node_driver_probe_duration_seconds{phase=connect} 0.001234",
      "csi_node_driver_probe_duration_seconds{phase=call} 0.000812",
      "csi_node_driver_probe_timeout_seconds{} 3",
      "csi_node_driver_last_ready_timestamp_seconds{} 1000.5",
      "csi_node_driver_process_start_time_seconds{} 900",
      "csi_node_driver_oom_kills_total{} 3",
      "csi_node_driver_info{vendor_version=v1.35.0,registration_socket=/reg.sock,namespace=kube-system,pod=p,container=c} 1",
    ],
  ],
  [
    "one that has failed",
    {
      report: driverReport({
        outcome: { kind: "failed", reason: "hung", message: "m" },
        connectMs: undefined,
        callMs: undefined,
      }),
      process: undefined,
      oomKills: undefined,
      lastReadyAtMs: undefined,
    },
    [
      "csi_node_driver_ready{} 0",
      "csi_node_driver_failing{reason=hung} 1",
      "csi_node_driver_probes_total{result=ready} 5",
      "csi_node_driver_probes_total{result=not_ready} 0",
      "csi_node_driver_probes_total{result=failed} 2",
      "csi_node_driver_probe_timeout_seconds{} 3",
      "csi_node_driver_info{vendor_version=v1.35.0,registration_socket=/reg.sock,namespace=,pod=,container=} 1",
    ],
  ],
])("the series of %s", (_, changes, series) => {
  const lines = seriesOf([view("ebs.csi.aws.com", changes)]).filter(({ labels }) => "driver_name" in labels);
  expect(new Set(lines.map(({ labels }) => labels["driver_name"]))).toEqual(new Set(["ebs.csi.aws.com"]));
  expect(lines.map(textOf)).toEqual([...series]);
});

test.each([
  [
    "it is not ready",
    { kind: "notReady" },
    ["csi_node_driver_ready{} 0", "csi_node_driver_failing{reason=not_ready} 1"],
  ],
  ["nothing is known of it", { kind: "notAsked", message: "m" }, ["csi_node_driver_failing{reason=unknown} 1"]],
  ["it is no CSI driver", { kind: "notCsi", what: "DRAPlugin" }, []],
] as const)("the state of a driver where %s", (_, outcome, series) => {
  const lines = seriesOf([view("a", { report: driverReport({ outcome }) })]).map(textOf);
  expect(lines.filter((line) => /^csi_node_driver_(ready|failing)\{/.test(line))).toEqual([...series]);
});

test("no driver has more than its series, nor has the monitor", () => {
  const failing = driverReport({ outcome: { kind: "failed", reason: "hung", message: "m" } });
  const samples = seriesOf([view("a", { report: failing })]);
  const own = samples.filter(({ labels }) => !("driver_name" in labels));
  expect(samples.length - own.length).toBeLessThanOrEqual(MAX_SERIES_OF_A_DRIVER);
  expect(own.length).toBeLessThanOrEqual(MAX_OWN_SERIES);
});

test("docs/monitoring.md has each metric with its labels, and no other", () => {
  const page = readFileSync(join(import.meta.dir, "../../docs/monitoring.md"), "utf8");
  const failing = driverReport({ outcome: { kind: "failed", reason: "hung", message: "m" } });
  const families = [...parseExposition(render([view("a", { report: failing })])).values()];
  const made = families.flatMap(({ name, samples }) =>
    name.startsWith("process_") ? [] : samples.map(({ labels }) => [name, Object.keys(labels)] as const),
  );
  expect(Object.fromEntries(documentedLabels(page))).toEqual(Object.fromEntries(made));
});

test("of very many drivers 64 have series, and the others are counted", () => {
  const samples = seriesOf(Array.from({ length: 100 }, (_, index) => view(`d${index}`)));
  const names = new Set(samples.flatMap(({ labels }) => labels["driver_name"] ?? []));
  expect(names.size).toBe(MAX_DRIVERS_WITH_SERIES);
  const leftOut = samples.find(({ name, labels }) => name.endsWith("_sockets") && labels["state"] === "left_out");
  expect(leftOut?.value).toBe(36 + 4);
});

test("what drivers say is escaped and cut", () => {
  const hostile = driverReport({ vendorVersion: `"} 1\n# TYPE x counter\\${"x".repeat(100)}` });
  const [info] = seriesOf([view('a"\n\\', { report: hostile })]).filter(({ name }) => name.endsWith("_info"));
  expect(info?.labels["driver_name"]).toBe('a"\n\\');
  expect(info?.labels["vendor_version"]).toHaveLength(63);
});

test("60 drivers are rendered in no time", () => {
  const drivers = Array.from({ length: 60 }, (_, index) => view(`d${index}`));
  seriesOf(drivers);
  const begun = performance.now();
  render(drivers);
  // The promise is 5 ms; the rest is for a busy machine.
  expect(performance.now() - begun).toBeLessThan(100);
});

function view(label: string, changes: Partial<DriverView> = {}): DriverView {
  return {
    label,
    report: driverReport(),
    names: new Set([label]),
    registrationSocket: "/reg.sock",
    process: {
      listener: {
        pid: 1,
        command: "c",
        state: { letter: "S", word: "sleeping" },
        namespace: "kube-system",
        pod: "p",
        container: "c",
      },
      startedAtMs: 900_000,
      startedTicksMs: 1,
    },
    oomKills: 3,
    probes: { ready: 5, notReady: 0, failed: 2 },
    lastReadyAtMs: 1_000_500,
    history: createHistory(),
    ...changes,
  };
}

function render(drivers: readonly DriverView[]): string {
  return renderMetrics({
    watch: {
      table: { drivers: () => drivers, counts: () => ({ found: drivers.length, leftOut: 4 }) },
      scanDurationMs: () => 12,
      heldConnections: () => 1,
    },
    probeTimeoutMs: 3_000,
    incidentCounts: () => new Map(FAILURE_REASONS.map((reason) => [reason, 1])),
    startTimeSeconds: 1,
    processFamilies: readProcessMetrics,
  });
}

function seriesOf(drivers: readonly DriverView[]): readonly Sample[] {
  return [...parseExposition(render(drivers)).values()].flatMap(({ samples }) => samples);
}

function textOf({ name, labels, value }: Sample): string {
  const others = Object.entries(labels).filter(([label]) => label !== "driver_name");
  return `${name}{${others.map(([label, text]) => `${label}=${text}`).join(",")}} ${value}`;
}
