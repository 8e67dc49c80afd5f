import {
  createCounter,
  createGauge,
  type Family,
  type FamilyOptions,
  gaugeOf,
  type Numbers,
} from "../metrics/exposition";
import { COMMIT, VERSION } from "../version";
import { type DriverView, MAX_NAME_CHARACTERS, stateOf } from "./driver-record";
import type { DriverTable } from "./driver-table";
import type { Watch } from "./watch";

/** So many drivers have series. The others are counted, as sockets that are left out. */
export const MAX_DRIVERS_WITH_SERIES = 64;

export interface MonitorMetricsOptions {
  readonly watch: Pick<Watch, "scanDurationMs" | "heldConnections"> & {
    readonly table: Pick<DriverTable, "drivers" | "counts">;
  };
  readonly probeTimeoutMs: number;
  readonly incidentCounts: () => ReadonlyMap<string, number>;
  readonly startTimeSeconds: number;
  /** Those of this process. */
  readonly processFamilies: () => readonly Family[];
}

/** The metrics as Prometheus text. A scrape asks no driver. */
export function renderMetrics(options: MonitorMetricsOptions): string {
  const { watch } = options;
  const drivers = watch.table.drivers().filter(({ report }) => report.outcome.kind !== "notCsi");
  const unique = new Map(drivers.map((driver) => [driver.label, driver]));
  const shown = [...unique.values()].slice(0, MAX_DRIVERS_WITH_SERIES);
  const families = [
    ...driverFamilies(shown, options.probeTimeoutMs),
    ...monitorFamilies(options, drivers.length - shown.length),
    ...options.processFamilies(),
  ];
  return families.map((family) => family.render()).join("");
}

function driverFamilies(drivers: readonly DriverView[], probeTimeoutMs: number): readonly Family[] {
  const ready = createGauge(metric("ready", "Whether the last probe found the driver ready (1) or not (0)."));
  const failing = createGauge(metric("failing", "Why the driver is not ready; always 1.", ["reason"]));
  const probes = createCounter(
    metric("probes_total", "Probes of the driver by result: ready, not_ready or failed.", ["result"]),
  );
  const duration = createGauge(
    metric("probe_duration_seconds", "How long the phases of the last probe took: connect and call.", ["phase"]),
  );
  const timeout = createGauge(metric("probe_timeout_seconds", "How long a probe may take."));
  const lastReady = createGauge(
    metric("last_ready_timestamp_seconds", "When the driver was last ready, in seconds since the unix epoch."),
  );
  const start = createGauge(
    metric("process_start_time_seconds", "When the process that listens was started, in seconds since the unix epoch."),
  );
  const kills = createCounter(
    metric("oom_kills_total", "Processes that the kernel killed for want of memory, in the driver's pod or container."),
  );
  const infoLabels = ["vendor_version", "registration_socket", "namespace", "pod", "container"];
  const info = createGauge(metric("info", "What is known of the driver; always 1.", infoLabels));
  for (const driver of drivers) {
    const { label, report, process } = driver;
    const state = stateOf(report.outcome);
    if (state !== "unknown") ready.set([label], state === "ready" ? 1 : 0);
    if (state !== "ready" && state !== undefined) failing.set([label, state], 1);
    probes.set([label, "ready"], driver.probes.ready);
    probes.set([label, "not_ready"], driver.probes.notReady);
    probes.set([label, "failed"], driver.probes.failed);
    setSeconds(duration, [label, "connect"], report.connectMs);
    setSeconds(duration, [label, "call"], report.callMs);
    setSeconds(timeout, [label], probeTimeoutMs);
    setSeconds(lastReady, [label], driver.lastReadyAtMs);
    setSeconds(start, [label], process?.startedAtMs);
    if (driver.oomKills !== undefined) kills.set([label], driver.oomKills);
    const { namespace = "", pod = "", container = "" } = process?.listener ?? {};
    const version = (report.vendorVersion ?? "").slice(0, MAX_NAME_CHARACTERS);
    info.set([label, version, driver.registrationSocket ?? "", namespace, pod, container], 1);
  }
  return [ready, failing, probes, duration, timeout, lastReady, start, kills, info];
}

function metric(name: string, help: string, labels: readonly string[] = []): FamilyOptions {
  return { name: `csi_node_driver_${name}`, help, labels: ["driver_name", ...labels] };
}

function setSeconds(family: Numbers, labels: readonly string[], ms: number | undefined): void {
  if (ms !== undefined) family.set(labels, Math.round(ms * 1_000) / 1e6);
}

function monitorFamilies(
  { watch, incidentCounts, startTimeSeconds }: MonitorMetricsOptions,
  withoutSeries: number,
): readonly Family[] {
  const build = createGauge({
    name: "csi_node_monitor_build_info",
    help: "What this monitor was built from; always 1.",
    labels: ["version", "commit", "bun_version"],
  });
  build.set([VERSION, COMMIT, Bun.version], 1);
  const sockets = createGauge({
    name: "csi_node_monitor_sockets",
    help: "Sockets of the node that may be drivers': found, and left out because they are too many.",
    labels: ["state"],
  });
  const { found, leftOut } = watch.table.counts();
  sockets.set(["found"], found);
  sockets.set(["left_out"], leftOut + withoutSeries);
  const incidents = createCounter({
    name: "csi_node_monitor_incidents_total",
    help: "Incidents that were opened, by their first reason.",
    labels: ["reason"],
  });
  for (const [reason, count] of incidentCounts()) incidents.set([reason], count);
  return [
    build,
    gaugeOf(
      "csi_node_monitor_scan_duration_seconds",
      "How long it took to look through the node.",
      watch.scanDurationMs() / 1_000,
    ),
    sockets,
    incidents,
    gaugeOf(
      "csi_node_monitor_held_connections",
      "Connections that are kept open to drivers that hang.",
      watch.heldConnections(),
    ),
    gaugeOf("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", startTimeSeconds),
  ];
}
