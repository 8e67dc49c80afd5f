import type { RpcTiming, SingleCall } from "../driver/client";
import { diagnose, diagnoseInternal, type FailureReason, type Target } from "../driver/diagnosis";
import { GET_PLUGIN_INFO, type PluginInfo } from "../driver/messages";
import { errorText } from "../base/errors";
import type { Logger } from "../log/logger";
import { oneLine } from "../base/text";

/** The driver's name in logs and metrics until the driver has told it. */
export const UNKNOWN_DRIVER = "unknown-driver";

/** Asks for the driver's name in the background; nothing waits for it. */
export interface DriverName {
  /** Begins to ask. */
  start(): void;
  /** The name, or `unknown-driver`. */
  current(): string;
  /** The driver has answered its first probe, or its first one after a failure: a good time to ask. */
  driverAnswered(): void;
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

/** So that the first probe need not share the CPU with the first call; once the driver has answered it, this is over. */
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

  async function ask(): Promise<void> {
    clearTimeout(timer);
    asking = true;
    const answer = await answerOf(options);
    asking = false;
    lastEndedAt = performance.now();
    if (answer.rpc !== undefined) options.onRpc(GET_PLUGIN_INFO.path, answer.rpc);
    if (answer.kind === "named") {
      name = answer.name;
      logger.info("CSI driver name", { driver: name, vendorVersion: answer.vendorVersion });
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
    current: () => name ?? UNKNOWN_DRIVER,
    driverAnswered: () => {
      const rested = performance.now() - lastEndedAt >= FIRST_PAUSE_MS;
      if (name === undefined && !asking && !stopped && rested) void ask();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

type Answer =
  | {
      readonly kind: "named";
      readonly name: string;
      readonly vendorVersion: string;
      readonly rpc: RpcTiming | undefined;
    }
  | {
      readonly kind: "unnamed";
      readonly reason: FailureReason | "no_name";
      readonly message: string;
      readonly rpc: RpcTiming | undefined;
    };

async function answerOf(options: DriverNameOptions): Promise<Answer> {
  try {
    return readAnswer(await options.getPluginInfo(), options);
  } catch (error) {
    return { kind: "unnamed", ...diagnoseInternal(errorText(error), options.socketPath), rpc: undefined };
  }
}

function readAnswer({ outcome, timing }: SingleCall<PluginInfo>, target: Target): Answer {
  const { elapsedMs, rpc } = timing;
  if (outcome.kind !== "answered")
    return { kind: "unnamed", ...diagnose(outcome, { ...target, rpcPath: GET_PLUGIN_INFO.path, elapsedMs }), rpc };
  const { name, vendorVersion } = outcome.response;
  if (name === "")
    return { kind: "unnamed", reason: "no_name", message: "GetPluginInfo answered with an empty name", rpc };
  return {
    kind: "named",
    name: oneLine(name, MAX_NAME_BYTES),
    vendorVersion: oneLine(vendorVersion, MAX_NAME_BYTES),
    rpc,
  };
}
