import { isIP } from "node:net";
import type { CommandOf, ProcessContext } from "../cli/command";
import { SERVE_FLAGS } from "../cli/flags";
import { ConfigError, errorCode, errorText } from "../base/errors";
import { answerLive, answerMetrics, answerReady, createHandler, type Route } from "../sidecar/routes";
import { startHttpServer, type HttpServer } from "../http/server";
import type { Severity } from "../log/format";
import { createLogging, droppedLinesNotice, type CreateLogger, type Logger } from "../log/logger";
import { openSinks } from "../log/sink";
import { readMaxOpenFiles, readProcessMetrics } from "../metrics/process";
import { type Endpoint, readOptions, type Listener, type LogOptions, type Options } from "../cli/options";
import { createSidecar, type Sidecar } from "../sidecar/sidecar";
import { quote } from "../base/text";
import { COMMIT, VERSION } from "../version";

/** `livenessprobe [serve]`: answers the kubelet until told to stop. */
export function defineServe(context: ProcessContext): CommandOf<typeof SERVE_FLAGS> {
  return {
    meta: { name: "serve", description: "Answer the kubelet's GET /healthz by calling the CSI driver's Probe." },
    args: SERVE_FLAGS,
    run: ({ args }) => serve(readOptions(args), context, args._),
  };
}

/** After SIGTERM a probe in flight may end within its deadline, but no longer than this. */
export const STOP_WITHIN_MS = 2_000;

async function serve(options: Options, context: ProcessContext, words: readonly string[]): Promise<number> {
  const createLogger = startLogging(options.log, context);
  const logger = createLogger("serve.ts");
  // First, so that an address that cannot be listened on does not hide it.
  if (words.length > 0)
    logger.warning("Ignoring what follows the flags: no flag begins there", { words: words.join(" ") });
  const { csiSocketPath, probeTimeoutMs, unusedMetricsPath: metricsPath } = options;
  if (metricsPath !== undefined)
    logger.warning("Ignoring --metrics-path: metrics need --http-endpoint or --metrics-address", { metricsPath });
  const { startTimeSeconds } = context;
  const sidecar = createSidecar({ csiSocketPath, probeTimeoutMs, startTimeSeconds, createLogger });
  const servers = options.endpoints.map((endpoint) => ({
    flag: endpoint.listener.flag,
    server: listenOn(endpoint.listener, createHandler(routesOf(endpoint, sidecar, startTimeSeconds))),
  }));
  logger.info("Starting livenessprobe", { version: VERSION, commit: COMMIT, csiAddress: options.csiAddress });
  for (const { flag, server } of servers) logger.info("Listening", { flag, address: server.address });
  warnOfFewDescriptors(logger);
  sidecar.driverName.start();

  await context.stopRequested();
  logger.info("Stopping", { atMost: "2s" });
  sidecar.driverName.stop();
  await Promise.race([
    Promise.all([...servers.map(({ server }) => server.stop()), sidecar.prober.idle()]),
    Bun.sleep(STOP_WITHIN_MS),
  ]);
  return 0;
}

/** The log of a command that runs until it is told to stop. */
export function startLogging(
  log: LogOptions,
  { pid, timeZone }: Pick<ProcessContext, "pid" | "timeZone">,
): CreateLogger {
  const line = { format: log.format, timeZone, nowMs: Date.now, pid };
  const sinks = openSinks(log.splitStream, (stream, dropped) => droppedLinesNotice(line, stream, dropped));
  const write = (text: string, severity: Severity): void => (severity === "I" ? sinks.info : sinks.error)(text);
  return createLogging({ ...line, verbosity: log.verbosity, vmodule: log.vmodule, write });
}

function routesOf({ probes, metricsPath }: Endpoint, { prober, metrics }: Sidecar, startTimeSeconds: number) {
  const routes: Route[] = [];
  if (metricsPath !== undefined)
    routes.push({
      path: metricsPath,
      answer: (request) => answerMetrics(request, metrics.render(readProcessMetrics()), startTimeSeconds),
    });
  // Each asks the driver; all of them share probes.
  const ready = async (): Promise<Response> => answerReady(await prober.probe());
  if (probes)
    routes.push(
      { path: "/healthz", answer: ready },
      { path: "/readyz", answer: ready },
      { path: "/livez", answer: async () => answerLive(await prober.probe()) },
    );
  return routes;
}

/** @throws {ConfigError} where it cannot listen */
export function listenOn(
  { flag, text, hostname, port }: Listener,
  handle: (request: Request) => Response | Promise<Response>,
): HttpServer {
  try {
    return startHttpServer({ hostname, port, handle });
  } catch (error) {
    throw new ConfigError(`${flag} cannot listen on ${quote(text)}: ${whyNotListening(error, hostname)}`);
  }
}

// Bun's own text for each of these is "Failed to listen at" and the host.
const NOT_LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use; choose another port, or stop the process that uses it",
  EADDRNOTAVAIL: "this host has no such address; use one of its own, or :PORT for all of them",
  EACCES: "permission denied; a port below 1024 needs uid 0 or the capability NET_BIND_SERVICE",
};

function whyNotListening(error: unknown, hostname: string | undefined): string {
  const code = errorCode(error) ?? "no error code";
  const known = NOT_LISTENING[code];
  if (known !== undefined) return known;
  // Where a name is not found, Bun 1.4.5 reports whatever errno is left over: EAGAIN, EINVAL, ENOTCONN.
  if (hostname !== undefined && isIP(hostname) === 0) {
    return "the host name is unknown; use an address of this host, or :PORT for all of them";
  }
  return `${errorText(error)}: ${code}`;
}

/** With fewer descriptors than this, idle connections can take all of them until Bun closes them after 12 s. */
const FEW_DESCRIPTORS = 4_096;

function warnOfFewDescriptors(logger: Logger): void {
  // Bun raises the soft limit to the hard one when it starts.
  const limit = readMaxOpenFiles();
  if (limit >= FEW_DESCRIPTORS) return;
  logger.warning(
    "Few file descriptors: a flood of idle connections can delay answers by 12 s; raise the limit (nofile)",
    {
      limit,
      recommended: FEW_DESCRIPTORS,
    },
  );
}
