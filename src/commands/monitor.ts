import type { CommandOf, ProcessContext } from "../cli/command";
import { MONITOR_ARGS, type MonitorOptions, readMonitorOptions } from "../cli/monitor-options";
import { readInvocation } from "../cli/operator-options";
import type { Invocation } from "../base/shell-command";
import type { CreateLogger } from "../log/logger";
import { type NodeView, openNode } from "../inspection/node-view";
import { readProcessMetrics } from "../metrics/process";
import { createDocuments, renderIncidentFile } from "../monitor/documents";
import { openIncidentFiles } from "../monitor/incidents/incident-files";
import { createIncidentLog } from "../monitor/incidents/incident-log";
import { createIncidentStore } from "../monitor/incidents/incident-store";
import { createIncidentObserver } from "../monitor/incidents/observer";
import { renderMetrics } from "../monitor/metrics";
import { createMonitorHandler } from "../monitor/routes";
import { startWatch } from "../monitor/watch";
import { MONOTONIC_CLOCK } from "../base/clock";
import { answerMetrics } from "../sidecar/routes";
import { COMMIT, VERSION } from "../version";
import { listenOn, startLogging, STOP_WITHIN_MS } from "./serve";

/** `livenessprobe monitor`: watches every CSI driver of the node until told to stop. */
export function defineMonitor(context: ProcessContext): CommandOf<typeof MONITOR_ARGS> {
  return {
    meta: {
      name: "monitor",
      description: "Watch every CSI driver of the node: serve metrics, and keep what happened to each.",
    },
    args: MONITOR_ARGS,
    notes: ["It runs until it gets SIGTERM. docs/monitoring.md has the endpoints and metrics."],
    run: ({ args, given }) => runMonitor(readMonitorOptions(args), readInvocation(given, context.program()), context),
  };
}

/** Between two collections of garbage. The engine by itself would let the heap double first. */
const COLLECT_EVERY_MS = 300_000;

/** Watches until told to stop; the exit code. */
export async function runMonitor(
  options: MonitorOptions,
  self: Invocation,
  context: Pick<ProcessContext, "pid" | "timeZone" | "startTimeSeconds" | "stopRequested">,
): Promise<number> {
  const createLogger = startLogging(options.log, context);
  const logger = createLogger("monitor.ts");
  // What cannot work is refused before anything is logged.
  const files = options.incidentDir === undefined ? undefined : openIncidentFiles(options.incidentDir);
  const opened = await openNode(options);
  const handler = Promise.withResolvers<(request: Request) => Response | Promise<Response>>();
  const server = listenOn(options.listen, async (request) => (await handler.promise)(request));
  logger.info("Starting livenessprobe monitor", { version: VERSION, commit: COMMIT });
  if (files?.fault !== undefined)
    logger.warning("Incidents cannot be written to files", { flag: "--incident-dir", error: files.fault });
  const { handle, watch } = await start(opened, options, self, context, createLogger, files);
  handler.resolve(handle);
  logger.info("Listening", { flag: options.listen.flag, address: server.address });
  // A mount that was forgotten looks like a node without drivers.
  if (watch.table.records().length === 0)
    logger.warning("No CSI driver was found yet", { lookedAt: watch.table.report().looked });
  const collecting = setInterval(() => Bun.gc(true), COLLECT_EVERY_MS);

  await context.stopRequested();
  logger.info("Stopping", { atMost: "2s" });
  clearInterval(collecting);
  watch.stop();
  await Promise.race([server.stop(), Bun.sleep(STOP_WITHIN_MS)]);
  return 0;
}

async function start(
  opened: NodeView,
  options: MonitorOptions,
  self: Invocation,
  { startTimeSeconds }: Pick<ProcessContext, "startTimeSeconds">,
  createLogger: CreateLogger,
  files: ReturnType<typeof openIncidentFiles> | undefined,
) {
  const { rootDir, kubeletDirs, nodeName, probeTimeoutMs } = options;
  const store = createIncidentStore();
  const incidents = createIncidentLog({
    store,
    files,
    render: (incident, log) => renderIncidentFile(incident, log, nodeName),
    logger: createLogger("incident-log.ts"),
    nowMs: MONOTONIC_CLOCK.nowMs,
    wallMs: Date.now,
  });
  const watch = await startWatch({
    ...options,
    opened,
    places: { rootDir, kubeletDirs },
    observe: createIncidentObserver({ ...options, incidents, self, logger: createLogger("watch.ts") }),
    clock: MONOTONIC_CLOCK,
    wallMs: Date.now,
    random: Math.random,
  });
  const scraped = { watch, probeTimeoutMs, incidentCounts: incidents.counts, startTimeSeconds };
  const handle = createMonitorHandler({
    ...options,
    watch,
    incidents: store,
    wallMs: Date.now,
    documents: createDocuments(nodeName, () => watch.table.report()),
    answerMetrics: (request) =>
      answerMetrics(request, renderMetrics({ ...scraped, processFamilies: readProcessMetrics }), startTimeSeconds),
  });
  return { handle, watch };
}
