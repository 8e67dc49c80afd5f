import type { DriverAnswers } from "../inspection/questions";
import type { DriverOutcome } from "../inspection/report";
import type { Logger } from "../log/logger";
import { type DriverRecord, stateOf, whyNotReady } from "./driver-record";
import type { Hang } from "./held-call";
import type { IncidentLog } from "./incidents/incident-log";

export interface VerdictOptions {
  readonly incidents: IncidentLog;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
  /** Inspects a driver whose incident was just opened. `hang` is where it hangs. */
  readonly inspect: (record: DriverRecord, hang: Hang | undefined) => void;
}

/** Follows the state of each driver: what changes becomes a line of the log, or part of an incident. */
export interface Verdicts {
  /**
   * Changes what is known of a driver.
   *
   * @param change does so; it may leave all as it is
   */
  follow(record: DriverRecord, change: () => void, hang?: Hang): void;
}

export function createVerdicts({ incidents, logger, wallMs, inspect }: VerdictOptions): Verdicts {
  function turned(record: DriverRecord, before: DriverOutcome, hang: Hang | undefined): void {
    const { outcome, driver = "unknown" } = record.surveyed.report;
    const isNews = stateOf(before) !== stateOf(outcome);
    const values = { driver, socket: record.path };
    switch (outcome.kind) {
      case "ready":
        // Where an incident is open, its end is what is logged.
        if (isNews && record.incident === undefined) logger.info("CSI driver is ready", values);
        incidents.note(record, { kind: "ready" });
        record.lastReadyAtMs = wallMs();
        return;
      case "failed": {
        const { reason, message } = outcome;
        if (record.incident !== undefined) return incidents.note(record, { kind: "failed", reason, message });
        // A socket that nobody listens on may be what an uninstalled driver has left.
        if (record.lastReadyAtMs === undefined) {
          if (isNews) logger.error(message, "CSI driver failed its probe", { ...values, reason });
          return;
        }
        incidents.open(record, { reason, message });
        return inspect(record, hang);
      }
      case "notReady":
        incidents.note(record, { kind: "notReady" });
        if (isNews) logger.warning("CSI driver is not ready", values);
        return;
      case "notAsked":
        if (isNews && (record.answers !== undefined || record.place.kind === "elsewhere"))
          logger.warning("CSI driver cannot be asked", { ...values, why: whyNotReady(outcome) });
        return;
      case "notCsi":
        return;
    }
    outcome satisfies never;
  }

  return {
    follow: (record, change, hang) => {
      const before = record.surveyed.report.outcome;
      change();
      if (before !== record.surveyed.report.outcome) turned(record, before, hang);
    },
  };
}

/** Counts what came of a probe. What was no fault of the driver's does not count. */
export function countProbe({ probes }: DriverRecord, { outcome }: DriverAnswers): void {
  if (outcome.kind !== "notAsked") probes[outcome.kind] += 1;
}
