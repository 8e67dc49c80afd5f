import type { RpcTiming, SingleCall } from "../driver/client";
import { diagnose, type Diagnosis, diagnoseInternal, type Target } from "../driver/diagnosis";
import { GET_PLUGIN_INFO, type PluginInfo } from "../driver/messages";
import type { ProbeResult } from "../driver/probe";
import { errorText } from "../base/errors";
import type { Logger } from "../log/logger";
import { oneLine } from "../base/text";

/** Asks for the driver's name in the background; nothing waits for it. */
export interface DriverName {
  /** Begins to ask. */
  start(): void;
  /** The name, or `unknown-driver` until the driver has told it. */
  current(): string;
  /**
   * A probe has ended. If it is the first that the driver has answered, or the first since a failure, it is a good time
   * to ask.
   */
  probed(result: ProbeResult): void;
  stop(): void;
}

export interface DriverNameOptions extends Target {
  /** Calls Identity/GetPluginInfo once, over a connection of its own. */
  readonly getPluginInfo: () => Promise<SingleCall<PluginInfo>>;
  readonly logger: Logger;
  readonly onRpc: (method: string, rpc: RpcTiming) => void;
  /** Whether a probe has logged a failure with this reason, or is about to. */
  readonly isLogged: (reason: string) => boolean;
}

/**
 * So that the first probe need not share the CPU with the first call; once the driver has answered it, this is over.
 */
export const START_DELAY_MS = 20;

/** The pause after the first call without a name; it doubles up to the longest. */
export const FIRST_PAUSE_MS = 1_000;
export const LONGEST_PAUSE_MS = 60_000;

// CSI, GetPluginInfo: at most 63 characters. The name of a driver that breaks the rule should still be readable.
const MAX_NAME_BYTES = 256;

/**
 * Once started, asks after a moment and then again after each growing pause, until the driver has told its name.
 *
 * Logs the first failure and each change of its reason, unless a probe has logged the same.
 */
export function createDriverName(options: DriverNameOptions): DriverName {
  const { logger, socketPath } = options;
  let name: string | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastEndedAt = -Infinity;
  let lastReason: string | undefined;
  let stopped = false;
  let asking = false;
  let answeredBefore = false;

  async function ask(): Promise<void> {
    clearTimeout(timer);
    asking = true;
    const answer = await askOnce(options);
    asking = false;
    lastEndedAt = performance.now();
    if ("name" in answer) {
      name = oneLine(answer.name, MAX_NAME_BYTES);
      logger.info("CSI driver name", { driver: name, vendorVersion: oneLine(answer.vendorVersion, MAX_NAME_BYTES) });
      return;
    }
    if (stopped) return;
    const { reason, message } = answer;
    const isLogged = options.isLogged(reason);
    if (!isLogged && reason !== lastReason) logger.error(message, "CSI driver did not tell its name", { reason });
    // What only a probe has logged is logged here once probes no longer fail for it.
    lastReason = isLogged ? undefined : reason;
    timer = setTimeout(() => void ask(), pauseMs);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }

  return {
    start: () => {
      logger.info("Asking CSI driver for its name", { address: socketPath });
      timer = setTimeout(() => void ask(), START_DELAY_MS);
    },
    current: () => name ?? "unknown-driver",
    probed: (result) => {
      const answered = result.kind !== "failed" || result.reason === "rpc_error";
      const isFirst = answered && !answeredBefore;
      answeredBefore = answered;
      const rested = performance.now() - lastEndedAt >= FIRST_PAUSE_MS;
      if (isFirst && name === undefined && !asking && !stopped && rested) void ask();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** What the driver tells, or why it tells no name. */
type Answer = PluginInfo | Diagnosis | { readonly reason: "no_name"; readonly message: string };

async function askOnce(options: DriverNameOptions): Promise<Answer> {
  try {
    const { outcome, timing } = await options.getPluginInfo();
    if (timing.rpc !== undefined) options.onRpc(GET_PLUGIN_INFO.path, timing.rpc);
    if (outcome.kind !== "answered")
      return diagnose(outcome, { ...options, rpcPath: GET_PLUGIN_INFO.path, elapsedMs: timing.elapsedMs });
    if (outcome.response.name !== "") return outcome.response;
    return { reason: "no_name", message: "GetPluginInfo answered with an empty name" };
  } catch (error) {
    return diagnoseInternal(errorText(error), options.socketPath);
  }
}
