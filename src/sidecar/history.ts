import { formatDuration } from "../base/duration";
import type { Logger } from "../log/logger";
import type { ProbeResult } from "../driver/probe";

/** Keeps the driver's state and logs its changes, instead of every probe. */
export interface History {
  /** @param current false for a result that a later probe has overtaken: it changes no state */
  record(result: ProbeResult, current: boolean): void;
  /** The driver's state, as `stateOf`; undefined before the first result. */
  state(): string | undefined;
}

export interface HistoryOptions {
  readonly logger: Logger;
  /** Milliseconds on a clock that never goes back. */
  readonly nowMs: () => number;
  readonly driverName: () => string;
}

/** How often a line says that the driver still fails. */
export const REMINDER_MS = 10 * 60_000;

/** Logs the first result, each change of kind or reason, and reminders; each probe at verbosity 5. */
export function createHistory({ logger, nowMs, driverName }: HistoryOptions): History {
  let state: string | undefined;
  /** Since the driver was ready. */
  let failing: { readonly sinceMs: number; probes: number; loggedAtMs: number } | undefined;

  const lasted = () =>
    failing && {
      failedFor: formatDuration(Math.round((nowMs() - failing.sinceMs) / 100) * 100),
      failedProbes: failing.probes,
    };

  function recordReady(): void {
    const message = failing === undefined ? "CSI driver is ready" : "CSI driver is ready again";
    if (state !== "ready") logger.info(message, { driver: driverName(), ...lasted() });
    failing = undefined;
  }

  function recordFailure(result: FailedOrNotReady, reason: string): void {
    const now = nowMs();
    failing ??= { sinceMs: now - result.timing.elapsedMs, probes: 0, loggedAtMs: now };
    failing.probes += 1;
    const changed = state !== reason;
    if (!changed && now - failing.loggedAtMs < REMINDER_MS) return;
    failing.loggedAtMs = now;
    const message = changed ? "CSI driver failed its probe" : "CSI driver still fails its probes";
    logger.error(messageOf(result), message, { driver: driverName(), reason, ...(changed ? {} : lasted()) });
  }

  return {
    record: (result, current) => {
      const verbose = logger.v(5);
      if (verbose.enabled) verbose.info("Probed the CSI driver", { driver: driverName(), ...describe(result) });
      if (!current) return;
      const next = stateOf(result);
      if (result.kind === "ready") recordReady();
      else recordFailure(result, next);
      state = next;
    },
    state: () => state,
  };
}

type FailedOrNotReady = Exclude<ProbeResult, { readonly kind: "ready" }>;

/** The driver's state by a result, in logs and metrics: `ready`, `not_ready`, or the reason of the failure. */
export function stateOf(result: ProbeResult): string {
  switch (result.kind) {
    case "ready":
      return "ready";
    case "notReady":
      return "not_ready";
    case "failed":
      return result.reason;
  }
  return result satisfies never;
}

export function messageOf(result: FailedOrNotReady): string {
  return result.kind === "failed" ? result.message : "driver responded but is not ready";
}

function describe(result: ProbeResult): Readonly<Record<string, string>> {
  const elapsed = formatDuration(Math.round(result.timing.elapsedMs * 1_000) / 1_000);
  return { result: stateOf(result), ...(result.kind !== "ready" && { message: messageOf(result) }), elapsed };
}
