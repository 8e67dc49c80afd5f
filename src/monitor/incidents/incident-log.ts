import { formatDuration } from "../../base/duration";
import type { InspectReport } from "../../inspection/report";
import type { Logger } from "../../log/logger";
import { type DriverRecord, nameOf, type OpenIncident } from "../driver-record";
import {
  advanceIncident,
  boundInspection,
  type Failure,
  giveUpIncident,
  type Incident,
  type IncidentChange,
  incidentId,
  openIncident,
} from "./incident";
import { type IncidentFiles, whyNotWritten } from "./incident-files";
import type { IncidentStore } from "./incident-store";

/** Keeps the incidents of drivers: in memory, in the log, and in files where there is a directory for them. */
export interface IncidentLog {
  /** @param elapsedMs how long the probe took that failed: an incident counts from its beginning */
  open(record: DriverRecord, failure: Failure, elapsedMs: number): void;
  /** Adds what happened; nothing where no incident is open. The first `ready` closes it. */
  note(record: DriverRecord, change: IncidentChange): void;
  /** The driver does not come back. */
  giveUp(record: DriverRecord): void;
  /** @param log the last lines of the container's log, which go into the file alone */
  addEvidence(id: string, record: DriverRecord, report: InspectReport, log: readonly string[] | undefined): void;
  /** How many were opened so far, by their first reason. */
  counts(): ReadonlyMap<string, number>;
}

export interface IncidentLogOptions {
  readonly store: IncidentStore;
  readonly files: IncidentFiles | undefined;
  readonly render: (incident: Incident, log: readonly string[] | undefined) => string;
  readonly logger: Logger;
  /** By the clock that nobody sets. */
  readonly nowMs: () => number;
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
}

export function createIncidentLog({ store, files, render, logger, nowMs, wallMs }: IncidentLogOptions): IncidentLog {
  const counts = new Map<string, number>();
  let opened = 0;
  let writes = true;

  function save({ incident, log }: OpenIncident): void {
    store.update(incident);
    if (files === undefined) return;
    try {
      files.write(incident.id, render(incident, log));
      if (!writes) logger.info("Incidents can be written to files again");
      writes = true;
    } catch (error) {
      // Once for all that follow: a full disk must not fill the log.
      if (writes)
        logger.warning("An incident could not be written to its file", {
          incident: incident.id,
          error: whyNotWritten(error),
        });
      writes = false;
    }
  }

  function keep(record: DriverRecord, incident: Incident): void {
    if (record.incident === undefined || record.incident.incident === incident) return;
    record.incident = { ...record.incident, incident };
    save(record.incident);
    if (incident.closedAtMs === undefined) return;
    const lasted = formatDuration(Math.round((nowMs() - record.incident.openedMs) / 100) * 100);
    const { reason, inspection } = incident;
    const verdict = inspection === undefined ? {} : { verdict: inspection.verdict };
    const values = { driver: nameOf(record), incident: incident.id, reason, lasted, ...verdict };
    if (incident.end === "gone") logger.warning("CSI driver is gone: its incident is closed", values);
    else logger.info("CSI driver is ready again: its incident is closed", values);
    record.incident = undefined;
  }

  return {
    open: (record, failure, elapsedMs) => {
      opened += 1;
      counts.set(failure.reason, (counts.get(failure.reason) ?? 0) + 1);
      const { listener } = record.process ?? {};
      const subject = {
        socket: record.path,
        driver: record.surveyed.report.driver,
        namespace: listener?.namespace,
        pod: listener?.pod,
        container: listener?.container,
      };
      const openedAtMs = wallMs() - elapsedMs;
      const incident = openIncident(subject, failure, incidentId(openedAtMs, opened), openedAtMs);
      record.incident = { incident, openedMs: nowMs() - elapsedMs, log: undefined };
      logger.error(failure.message, "CSI driver failed: an incident is open", {
        driver: nameOf(record),
        incident: incident.id,
        reason: failure.reason,
        socket: record.path,
      });
      store.add(incident);
      save(record.incident);
    },
    note: (record, change) => {
      if (record.incident !== undefined) keep(record, advanceIncident(record.incident.incident, change, wallMs()));
    },
    giveUp: (record) => {
      if (record.incident !== undefined) keep(record, giveUpIncident(record.incident.incident, wallMs()));
    },
    addEvidence: (id, record, report, log) => {
      const inspection = boundInspection(report);
      const current = record.incident;
      if (current?.incident.id === id) {
        record.incident = { ...current, incident: { ...current.incident, inspection }, log };
        save(record.incident);
      } else {
        // It was closed meanwhile.
        const closed = store.get(id);
        if (closed !== undefined) save({ incident: { ...closed, inspection }, openedMs: 0, log });
      }
    },
    counts: () => counts,
  };
}
