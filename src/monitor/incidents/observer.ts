import type { DriverOutcome } from "../../inspection/report";
import { type DriverRecord, nameOf, stateOf, type WatchEvent, whyNotReady } from "../driver-record";
import type { Hang } from "../held-call";
import type { WatchedNode } from "../watch";
import { createInspections, type InspectionsOptions } from "./inspections";

/** Turns what happens while a node is watched into lines of the log and into incidents. */
export function createIncidentObserver(options: Omit<InspectionsOptions, keyof WatchedNode>) {
  const { incidents, logger } = options;
  const verbose = logger.v(5);

  return (node: WatchedNode) => {
    const inspect = createInspections({ ...options, ...node });
    return (event: WatchEvent): void => {
      switch (event.kind) {
        case "found":
          return logger.info("Found a CSI driver's socket", { socket: event.record.path });
        case "socketReplaced":
          incidents.note(event.record, { kind: "socketReplaced" });
          return logger.info("A CSI driver has a new socket", valuesOf(event.record));
        case "socketGone":
          incidents.note(event.record, { kind: "socketGone" });
          return logger.info("A CSI driver's socket is gone", valuesOf(event.record));
        case "givenUp":
          return incidents.giveUp(event.record);
        case "restarted":
          return incidents.note(event.record, { kind: "restarted", pid: event.pid });
        case "connectionLost":
          return incidents.note(event.record, { kind: "connectionLost" });
        case "outcome":
          return turned(event.record, event.before, event.hang);
        case "probed": {
          if (!verbose.enabled) return;
          const { outcome } = event.record.surveyed.report;
          const result = stateOf(outcome) ?? outcome.kind;
          return verbose.info("Probed the CSI driver", { driver: nameOf(event.record), result });
        }
        case "absent":
          return logger.warning("The driver of --driver was not found", { why: event.why });
        case "nodeUnreadable":
          return logger.warning("The node cannot be looked through", { error: event.error });
        case "nodeReadable":
          return logger.info("The node can be looked through again");
      }
      event satisfies never;
    };

    function turned(record: DriverRecord, before: DriverOutcome, hang: Hang | undefined): void {
      const { outcome } = record.surveyed.report;
      const isNews = stateOf(before) !== stateOf(outcome);
      const values = valuesOf(record);
      switch (outcome.kind) {
        case "ready":
          // Where an incident is open, its end is what is logged.
          if (isNews && record.incident === undefined) logger.info("CSI driver is ready", values);
          return incidents.note(record, { kind: "ready" });
        case "failed": {
          const { reason, message } = outcome;
          if (record.incident !== undefined) return incidents.note(record, { kind: "failed", reason, message });
          // A socket that nobody listens on may be what an uninstalled driver has left.
          if (record.lastReadyAtMs === undefined) {
            if (isNews) logger.error(message, "CSI driver failed its probe", { ...values, reason });
            return;
          }
          incidents.open(record, { reason, message }, hang?.timing.elapsedMs ?? elapsedMs(record));
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
  };
}

/** How long its last probe took. */
function elapsedMs({ answers }: DriverRecord): number {
  return (answers?.connectMs ?? 0) + (answers?.callMs ?? 0);
}

function valuesOf(record: DriverRecord) {
  return { driver: nameOf(record), socket: record.path };
}
