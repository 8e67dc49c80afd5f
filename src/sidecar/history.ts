import { formatDuration } from "../base/duration";
import type { Logger } from "../log/logger";
import type { ProbeResult } from "../driver/probe";

/** Keeps the driver's state and logs its changes, instead of every probe. */
export interface History {
  /** @param current false for a result that a later probe has overtaken: it changes no state */
  record(result: ProbeResult, current: boolean): void;
  /** The driver's state: `ready`, or the reason for which it fails; undefined before the first result. */
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
  let state: State | undefined;

  function logFailure(result: FailedOrNotReady, failedSinceMs: number, failures: number, again: boolean): void {
    const values = {
      driver: driverName(),
      reason: reasonOf(result),
      ...(again ? { failedFor: elapsed(failedSinceMs), failedProbes: failures } : {}),
    };
    logger.error(
      messageOf(result),
      again ? "CSI driver still fails its probes" : "CSI driver failed its probe",
      values,
    );
  }

  function logReady(before: State | undefined): void {
    const driver = driverName();
    if (before?.kind !== "failing") return logger.info("CSI driver is ready", { driver });
    const { failedSinceMs, failures } = before;
    return logger.info("CSI driver is ready again", {
      driver,
      failedFor: elapsed(failedSinceMs),
      failedProbes: failures,
    });
  }

  const elapsed = (sinceMs: number) => formatDuration(Math.round((nowMs() - sinceMs) / 100) * 100);

  function recordFailure(result: FailedOrNotReady, before: State | undefined): State {
    const now = nowMs();
    const reason = reasonOf(result);
    const failedSinceMs = before?.kind === "failing" ? before.failedSinceMs : now - result.timing.elapsedMs;
    const failures = (before?.kind === "failing" ? before.failures : 0) + 1;
    const changed = before?.kind !== "failing" || before.reason !== reason;
    const due = before?.kind === "failing" && now - before.loggedAtMs >= REMINDER_MS;
    if (changed || due) logFailure(result, failedSinceMs, failures, !changed);
    const loggedAtMs = changed || due ? now : before.loggedAtMs;
    return { kind: "failing", reason, failedSinceMs, failures, loggedAtMs };
  }

  return {
    record: (result, current) => {
      const verbose = logger.v(5);
      if (verbose.enabled) verbose.info("Probed the CSI driver", { driver: driverName(), ...describe(result) });
      if (!current) return;
      if (result.kind === "ready") {
        if (state?.kind !== "ready") logReady(state);
        state = { kind: "ready" };
      } else {
        state = recordFailure(result, state);
      }
    },
    state: () => (state?.kind === "failing" ? state.reason : state?.kind),
  };
}

type FailedOrNotReady = Exclude<ProbeResult, { readonly kind: "ready" }>;

type State =
  | { readonly kind: "ready" }
  | {
      readonly kind: "failing";
      readonly reason: string;
      readonly failedSinceMs: number;
      readonly failures: number;
      readonly loggedAtMs: number;
    };

function reasonOf(result: FailedOrNotReady): string {
  return result.kind === "failed" ? result.reason : "not_ready";
}

function messageOf(result: FailedOrNotReady): string {
  return result.kind === "failed" ? result.message : "driver responded but is not ready";
}

function describe(result: ProbeResult): Readonly<Record<string, string>> {
  const elapsed = formatDuration(Math.round(result.timing.elapsedMs * 1_000) / 1_000);
  if (result.kind === "ready") return { result: "ready", elapsed };
  return { result: reasonOf(result), message: messageOf(result), elapsed };
}
