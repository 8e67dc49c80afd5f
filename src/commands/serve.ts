import { type CommandDef, defineCommand } from "citty";
import type { CommandLine } from "../cli/argv";
import type { Edge } from "../cli/edge";
import { ConfigError, errorCode, errorText } from "../base/errors";
import { answerLive, answerMetrics, answerReady, createHandler, type Route } from "../sidecar/routes";
import { startHttpServer, type HttpServer } from "../http/server";
import { createLogging, droppedLinesNotice, type CreateLogger, type Logger } from "../log/logger";
import { openStderrSink } from "../log/sink";
import { readMaxOpenFiles, readProcessMetrics } from "../metrics/process";
import { readOptions, type Listener, type Options } from "../cli/options";
import { createSidecar, type Sidecar } from "../sidecar/sidecar";
import { quote } from "../base/text";
import { COMMIT, VERSION } from "../version";

/** `livenessprobe [serve]`: answers the kubelet until told to stop. Its `run` returns the exit code and throws ConfigError. */
export function defineServe(edge: Edge, { values, words }: CommandLine): CommandDef {
  return defineCommand({
    meta: { name: "serve", description: "Answer /healthz with the CSI driver's Identity/Probe" },
    run: () => serve(readOptions(values), edge, words),
  });
}

/** After SIGTERM a probe in flight may end within its deadline, but no longer than this. */
const STOP_WITHIN_MS = 2_000;

async function serve(options: Options, edge: Edge, words: readonly string[]): Promise<number> {
  const createLogger = startLogging(options, edge);
  const logger = createLogger("serve.ts");
  // First, so that an address that cannot be listened on does not hide it.
  if (words.length > 0)
    logger.warning("Ignoring what follows the flags: no flag begins there", { words: words.join(" ") });
  const { csiSocketPath, probeTimeoutMs } = options;
  const { uid, startTimeSeconds } = edge;
  const sidecar = createSidecar({ csiSocketPath, probeTimeoutMs, uid, startTimeSeconds, createLogger });
  const servers = listen(options, sidecar, edge);
  logger.info("Starting livenessprobe", { version: VERSION, commit: COMMIT, csiAddress: options.csiAddress });
  for (const { listener, server } of servers)
    logger.info("Listening", { flag: listener.flag, address: server.address });
  warnOfFewDescriptors(logger);
  sidecar.driverName.start();

  await edge.stopRequested();
  logger.info("Stopping", { atMost: "2s" });
  sidecar.driverName.stop();
  await Promise.race([
    Promise.all([...servers.map(({ server }) => server.stop()), sidecar.prober.idle()]),
    Bun.sleep(STOP_WITHIN_MS),
  ]);
  return 0;
}

function startLogging({ log }: Options, { pid, timeZone }: Edge): CreateLogger {
  const line = { format: log.format, timeZone, nowMs: Date.now, pid };
  const { write } = openStderrSink(droppedLinesNotice(line));
  return createLogging({ ...line, verbosity: log.verbosity, vmodule: log.vmodule, write });
}

interface ListeningServer {
  readonly listener: Listener;
  readonly server: HttpServer;
}

function listen(options: Options, sidecar: Sidecar, edge: Edge): readonly ListeningServer[] {
  const { health, metrics } = options;
  const probes = probeRoutes(sidecar);
  switch (metrics.kind) {
    case "none":
      return listenEach([{ listener: health, routes: probes }]);
    case "withHealth":
      return listenEach([{ listener: health, routes: [metricsRoute(metrics.path, sidecar, edge), ...probes] }]);
    case "separate":
      return listenEach([
        { listener: health, routes: probes },
        { listener: metrics.listen, routes: [metricsRoute(metrics.path, sidecar, edge)] },
      ]);
  }
  return metrics satisfies never;
}

/** Each asks the driver; all of them share probes. */
function probeRoutes({ prober }: Sidecar): readonly Route[] {
  return [
    { path: "/healthz", answer: async () => answerReady(await prober.probe()) },
    { path: "/readyz", answer: async () => answerReady(await prober.probe()) },
    { path: "/livez", answer: async () => answerLive(await prober.probe()) },
  ];
}

function metricsRoute(path: string, { metrics }: Sidecar, { startTimeSeconds }: Edge): Route {
  return { path, answer: (request) => answerMetrics(request, metrics.render(readProcessMetrics()), startTimeSeconds) };
}

interface Listening {
  readonly listener: Listener;
  readonly routes: readonly Route[];
}

function listenEach(all: readonly Listening[]): readonly ListeningServer[] {
  return all.map(({ listener, routes }) => ({ listener, server: start(listener, routes) }));
}

function start({ flag, text, hostname, port }: Listener, routes: readonly Route[]): HttpServer {
  try {
    return startHttpServer({ hostname, port, handle: createHandler(routes) });
  } catch (error) {
    throw new ConfigError(`${flag} cannot listen on ${quote(text)}: ${whyNotListening(error)}`);
  }
}

// Bun's own text for each of these is "Failed to listen at" and the host.
const NOT_LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use; choose another port, or stop the process that uses it",
  EADDRNOTAVAIL: "this host has no such address",
  EACCES: "permission denied; a port below 1024 needs uid 0 or the capability NET_BIND_SERVICE",
  ENOTFOUND: "the host's name is not known",
  // No name server answered (EAI_AGAIN).
  EAGAIN: "the host's name is not known",
};

function whyNotListening(error: unknown): string {
  const code = errorCode(error) ?? "no error code";
  return NOT_LISTENING[code] ?? `${errorText(error)}: ${code}`;
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
