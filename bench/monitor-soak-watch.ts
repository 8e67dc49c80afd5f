import { mkdirSync } from "node:fs";
import { MONOTONIC_CLOCK } from "../src/base/clock";
import { lookAtSocketFile } from "../src/driver/socket-file";
import { createLogging } from "../src/log/logger";
import { readProcessMetrics } from "../src/metrics/process";
import { DOCUMENTS, renderIncidentFile } from "../src/monitor/documents";
import { openIncidentFiles } from "../src/monitor/incidents/incident-files";
import { createIncidentLog } from "../src/monitor/incidents/incident-log";
import { createIncidentStore } from "../src/monitor/incidents/incident-store";
import { renderMetrics } from "../src/monitor/metrics";
import { createMonitorHandler } from "../src/monitor/routes";
import { startWatch } from "../src/monitor/watch";
import { renderNodeJson } from "../src/terminal/json";

/** What `monitor` runs, with a shorter interval than its flag allows: `bun bench/monitor-soak-watch.ts DIRECTORY MS`. */
const [, , kubeletDir = "", interval = ""] = process.argv;
const intervalMs = Number(interval);
/** As often among the probes as with the usual interval: every 10 intervals of 30 s. */
const COLLECT_EVERY = 10;

mkdirSync(`${kubeletDir}/incidents`);
const store = createIncidentStore();
const createLogger = createLogging({
  format: "text",
  timeZone: "utc",
  nowMs: Date.now,
  pid: process.pid,
  verbosity: 0,
  vmodule: [],
  write: () => {},
});
const incidents = createIncidentLog({
  store,
  files: openIncidentFiles(`${kubeletDir}/incidents`),
  render: renderIncidentFile,
  logger: createLogger("incident-log.ts"),
  nowMs: MONOTONIC_CLOCK.nowMs,
  wallMs: Date.now,
});
const watch = await startWatch({
  places: { rootDir: "/", kubeletDirs: [kubeletDir] },
  driver: undefined,
  intervalMs,
  probeTimeoutMs: intervalMs,
  incidents,
  incidentLogs: true,
  self: { program: ["livenessprobe"], flags: [] },
  uid: process.geteuid?.() ?? 0,
  userAgent: "livenessprobe/bench",
  lookAtSocketFile,
  clock: MONOTONIC_CLOCK,
  wallMs: Date.now,
  random: Math.random,
  logger: createLogger("watch.ts"),
});
const scraped = { watch, probeTimeoutMs: intervalMs, incidentCounts: incidents.counts, startTimeSeconds: 0 };
const handle = createMonitorHandler({
  watch,
  incidents: store,
  intervalMs,
  serving: "all",
  wallMs: Date.now,
  documents: { ...DOCUMENTS, drivers: () => renderNodeJson(watch.table.report()) },
  answerMetrics: () => new Response(renderMetrics({ ...scraped, processFamilies: readProcessMetrics })),
});
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: handle });
setInterval(() => Bun.gc(true), COLLECT_EVERY * intervalMs);
console.log(server.url.origin);
