import { stateOf } from "./history";
import { statusLabel } from "../grpc/status";
import type { RpcTiming } from "../driver/client";
import { FAILURE_REASONS } from "../driver/diagnosis";
import type { ProbeResult } from "../driver/probe";
import { createCounter, createGauge, createHistogram, type Family } from "../metrics/exposition";

/** The metrics of the sidecar. Two families have the names, labels, buckets and HELP texts of the Go sidecar. */
export interface SidecarMetrics {
  /** Counts a probe. `current` is false for one that a later probe has overtaken. */
  countProbe(result: ProbeResult, endedAtSeconds: number, current: boolean): void;
  /** Counts an RPC that was started, when it has ended. */
  countRpc(method: string, rpc: RpcTiming): void;
  /** The Prometheus text format 0.0.4, with the families that are read at the scrape. */
  render(atScrape: readonly Family[]): string;
}

export interface SidecarMetricsOptions {
  readonly startTimeSeconds: number;
  readonly build: { readonly version: string; readonly commit: string; readonly bun: string };
  /** The driver's name, or `unknown-driver`. */
  readonly driverName: () => string;
}

/**
 * Declares each family once. A driver or a client can add no series; only the driver's name comes from outside.
 *
 * `csi_sidecar_operations_seconds` has the name that was known when an RPC ended, as in the Go sidecar. Our own
 * families have the name that is known at the scrape, so each has one series at any time: otherwise a gauge of
 * `unknown-driver` would keep its last value forever.
 */
export function createSidecarMetrics({ startTimeSeconds, build, driverName }: SidecarMetricsOptions): SidecarMetrics {
  const sharedLabels = () => ({ driver_name: driverName() });
  const operations = createHistogram(
    {
      name: "csi_sidecar_operations_seconds",
      help: "[ALPHA] Container Storage Interface operation duration with gRPC error code status total",
      labels: ["driver_name", "grpc_status_code", "method_name"],
    },
    [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600],
  );
  const startTime = createGauge({
    name: "process_start_time_seconds",
    help: "[ALPHA] Start time of the process since unix epoch in seconds.",
  });
  const ready = createGauge({
    name: "csi_livenessprobe_ready",
    sharedLabels,
    help: "Whether the last probe found the driver ready (1) or not (0); absent before the first result.",
  });
  const probes = createCounter({
    name: "csi_livenessprobe_probes_total",
    sharedLabels,
    help: "Probes of the driver by result: ready, not_ready, or the reason of the failure.",
    labels: ["result"],
  });
  const phases = createHistogram(
    {
      name: "csi_livenessprobe_phase_seconds",
      sharedLabels,
      help: "Duration of the phases of a probe: connect, to the driver's HTTP/2 settings, and call, to the end of its answer.",
      labels: ["phase"],
    },
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );
  const lastProbe = createGauge({
    name: "csi_livenessprobe_last_probe_timestamp_seconds",
    sharedLabels,
    help: "When the last probe ended, in seconds since the unix epoch; absent before the first result.",
  });
  const buildInfo = createGauge({
    name: "csi_livenessprobe_build_info",
    sharedLabels,
    help: "What this sidecar was built from; always 1.",
    labels: ["version", "commit", "bun_version"],
  });

  startTime.set([], startTimeSeconds);
  buildInfo.set([build.version, build.commit, build.bun], 1);
  for (const result of ["ready", "not_ready", ...FAILURE_REASONS]) probes.add([result], 0);

  return {
    countProbe: (result, endedAtSeconds, current) => {
      probes.add([stateOf(result)], 1);
      const { connectMs, rpc } = result.timing;
      if (connectMs !== undefined) phases.observe(["connect"], connectMs / 1_000);
      if (rpc !== undefined) phases.observe(["call"], rpc.durationMs / 1_000);
      lastProbe.set([], endedAtSeconds);
      if (current) ready.set([], result.kind === "ready" ? 1 : 0);
    },
    countRpc: (method, rpc) => {
      operations.observe([driverName(), statusLabel(rpc.statusCode), method], rpc.durationMs / 1_000);
    },
    render: (atScrape) =>
      [operations, ready, probes, phases, lastProbe, buildInfo, startTime, ...atScrape]
        .map((family) => family.render())
        .join(""),
  };
}
