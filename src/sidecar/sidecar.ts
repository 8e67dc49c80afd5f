import { MONOTONIC_CLOCK } from "../base/clock";
import { createCollector } from "./collector";
import { callOnce, type Rpc } from "../driver/client";
import { GET_PLUGIN_INFO, PROBE } from "../driver/messages";
import { createDriverName, type DriverName } from "./driver-name";
import { createHistory } from "./history";
import type { CreateLogger } from "../log/logger";
import { createSidecarMetrics, type SidecarMetrics } from "./metrics";
import { probeOnce } from "../driver/probe";
import { createProber, type Prober } from "./prober";
import { lookAtSocketFile } from "../driver/socket-file";
import { COMMIT, VERSION } from "../version";

/** What `serve` keeps of one driver: the prober, the driver's name and the metrics. */
export interface Sidecar {
  readonly prober: Prober;
  readonly driverName: DriverName;
  readonly metrics: SidecarMetrics;
}

export interface SidecarOptions {
  readonly csiSocketPath: string;
  readonly probeTimeoutMs: number;
  /** When the process started, in seconds since the unix epoch. */
  readonly startTimeSeconds: number;
  readonly createLogger: CreateLogger;
}

/** Makes a sidecar. It does not call the driver before the first probe or `driverName.start()`. */
export function createSidecar(options: SidecarOptions): Sidecar {
  const { csiSocketPath: socketPath, probeTimeoutMs: timeoutMs, startTimeSeconds, createLogger } = options;
  const client = { socketPath, timeoutMs, retryConnect: true };
  const call = <Response>(rpc: Rpc<Response>) => callOnce(client, rpc);
  const target = { socketPath, socketFile: () => lookAtSocketFile(socketPath) };
  const build = { version: VERSION, commit: COMMIT, bun: Bun.version };
  const metrics = createSidecarMetrics({ startTimeSeconds, build, driverName: () => driverName.current() });
  const driverName = createDriverName({
    ...target,
    getPluginInfo: () => call(GET_PLUGIN_INFO),
    logger: createLogger("driver-name.ts"),
    onRpc: metrics.countRpc,
    isLogged: (reason) => history.state() === reason || (history.state() === undefined && prober.isProbing()),
  });
  const history = createHistory({
    logger: createLogger("prober.ts"),
    nowMs: MONOTONIC_CLOCK.nowMs,
    driverName: driverName.current,
  });
  const probeEnded = createCollector(() => Bun.gc(true));
  let latestBegun = 0;
  const probe = { ...target, probe: () => call(PROBE) };
  const prober = createProber({
    probeOnce: () => probeOnce(probe),
    timeoutMs,
    clock: MONOTONIC_CLOCK,
    onResult: (result, begun) => {
      // Each result counts; one that a later probe has overtaken changes no state.
      const current = begun > latestBegun;
      if (current) latestBegun = begun;
      const { rpc } = result.timing;
      if (rpc !== undefined) metrics.countRpc(PROBE.path, rpc);
      metrics.countProbe(result, Date.now() / 1_000, current);
      history.record(result, current);
      driverName.probed(result);
      probeEnded();
    },
  });
  return { prober, driverName, metrics };
}
