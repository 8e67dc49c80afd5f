import { mkdirSync } from "node:fs";
import { MONITOR_ARGS, readMonitorOptions } from "../src/cli/monitor-options";
import { runMonitor } from "../src/commands/monitor";
import { readFlags } from "../test/support/serve-flags";

/**
 * `monitor` with a shorter interval than its flag allows: `bun bench/monitor-soak-watch.ts DIRECTORY INTERVAL_MS
 * ADDRESS`.
 */
const [, , directory = "", interval = "", address = ""] = process.argv;
const intervalMs = Number(interval);
/** As often among the probes as with the usual interval: every 10 intervals of 30 s. */
const COLLECT_EVERY = 10;

const incidentDir = `${directory}/incidents`;
mkdirSync(incidentDir);
setInterval(() => Bun.gc(true), COLLECT_EVERY * intervalMs);
const words = [`--kubelet-dir=${directory}`, `--http-endpoint=${address}`, `--incident-dir=${incidentDir}`];
const options = readMonitorOptions(await readFlags("monitor", MONITOR_ARGS, [...words, "--incident-logs"]));
await runMonitor(
  { ...options, intervalMs, probeTimeoutMs: intervalMs },
  { program: ["livenessprobe"], flags: [] },
  {
    pid: process.pid,
    timeZone: "utc",
    startTimeSeconds: performance.timeOrigin / 1_000,
    stopRequested: () => new Promise(() => {}),
  },
);
