import { expect, test } from "bun:test";
import { createSidecarMetrics } from "../../src/sidecar/metrics";
import { parseExposition, valueOf } from "../support/exposition";

test("our series are the driver's by the name that is known at the scrape, and none remains under unknown-driver", () => {
  let driverName = "unknown-driver";
  const metrics = createSidecarMetrics({
    startTimeSeconds: 1,
    build: { version: "1", commit: "2", bun: "3" },
    driverName: () => driverName,
  });
  const rpc = { durationMs: 2, statusCode: 0 };
  const countProbe = () => {
    metrics.countProbe({ kind: "ready", timing: { elapsedMs: 3, connectMs: 1, rpc } }, 100, true);
    metrics.countRpc("/csi.v1.Identity/Probe", rpc);
  };
  countProbe();
  const before = parseExposition(metrics.render([]));
  driverName = "a.csi.example";
  countProbe();
  const after = parseExposition(metrics.render([]));

  for (const [families, name, probes] of [
    [before, "unknown-driver", 1],
    [after, "a.csi.example", 2],
  ] as const) {
    const ours = [...families.values()].filter((family) => family.name.startsWith("csi_livenessprobe_"));
    expect(ours.map((family) => family.name)).toEqual([
      "csi_livenessprobe_ready",
      "csi_livenessprobe_probes_total",
      "csi_livenessprobe_phase_seconds",
      "csi_livenessprobe_last_probe_timestamp_seconds",
      "csi_livenessprobe_build_info",
    ]);
    const names = ours.flatMap(({ samples }) => samples.map(({ labels }) => labels["driver_name"]));
    expect(new Set(names)).toEqual(new Set([name]));
    expect(valueOf(families, "csi_livenessprobe_probes_total", { result: "ready" })).toBe(probes);
    expect(valueOf(families, "csi_livenessprobe_phase_seconds_count", { phase: "call" })).toBe(probes);
  }
  // The Go sidecar's family keeps the name under which each RPC was counted.
  for (const driver_name of ["unknown-driver", "a.csi.example"]) {
    expect(valueOf(after, "csi_sidecar_operations_seconds_count", { driver_name })).toBe(1);
  }
});

test("a driver's name is escaped in our labels", () => {
  const metrics = createSidecarMetrics({
    startTimeSeconds: 1,
    build: { version: "1", commit: "2", bun: "3" },
    driverName: () => 'a"b\\c',
  });
  expect(metrics.render([])).toContain('csi_livenessprobe_build_info{driver_name="a\\"b\\\\c",version="1"');
});
