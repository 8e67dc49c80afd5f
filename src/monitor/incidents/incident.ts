import type { FailureReason } from "../../driver/diagnosis";
import type { InspectReport } from "../../inspection/report";

/**
 * What happened to a driver that was ready, from its first failure to its recovery. Times are milliseconds since the
 * epoch.
 */
export interface Incident extends IncidentSubject {
  /** Sorts by time, and is fit for a URL and a file's name: `20261125T131500.250Z-1`. */
  readonly id: string;
  /** When the first probe began that failed. */
  readonly openedAtMs: number;
  readonly closedAtMs: number | undefined;
  /** Why it was closed. `gone`: the driver did not come back. */
  readonly end: "recovered" | "gone" | undefined;
  /** The first reason, and its message. */
  readonly reason: FailureReason;
  readonly message: string;
  readonly events: readonly IncidentEvent[];
  /** How many events there are no records of, because there were too many. */
  readonly eventsLeftOut: number;
  /** What an inspection found when the incident was opened; undefined until it is done. */
  readonly inspection: InspectReport | undefined;
}

/** Whom it happened to, as far as it is known. */
export interface IncidentSubject {
  readonly socket: string;
  readonly driver: string | undefined;
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
}

export type IncidentEvent = { readonly atMs: number } & IncidentChange;

export type IncidentChange =
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly message: string }
  | { readonly kind: "notReady" }
  | { readonly kind: "ready" }
  /** The driver closed the connection that was kept open for its answer. */
  | { readonly kind: "connectionLost" }
  /** Another process listens. */
  | { readonly kind: "restarted"; readonly pid: number }
  /** Another file is in the place of the socket. */
  | { readonly kind: "socketReplaced" }
  | { readonly kind: "socketGone" };

/** The events that are kept of one incident: the first half, and the last ones. */
export const MAX_EVENTS = 40;

export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
}

export function openIncident(subject: IncidentSubject, failure: Failure, id: string, atMs: number): Incident {
  return {
    ...subject,
    ...failure,
    id,
    openedAtMs: atMs,
    closedAtMs: undefined,
    end: undefined,
    events: [{ atMs, kind: "failed", ...failure }],
    eventsLeftOut: 0,
    inspection: undefined,
  };
}

/** Adds what happened; the same state twice is one event. The first `ready` closes it. */
export function advanceIncident(incident: Incident, change: IncidentChange, atMs: number): Incident {
  if (incident.closedAtMs !== undefined || isKnown(incident, change)) return incident;
  const advanced = withEvent(incident, { atMs, ...change });
  return change.kind === "ready" ? { ...advanced, closedAtMs: atMs, end: "recovered" } : advanced;
}

/** Closes an incident whose driver is gone for good. */
export function giveUpIncident(incident: Incident, atMs: number): Incident {
  return incident.closedAtMs === undefined ? { ...incident, closedAtMs: atMs, end: "gone" } : incident;
}

function isKnown({ events }: Incident, change: IncidentChange): boolean {
  const isState = ({ kind }: IncidentChange) => kind === "failed" || kind === "notReady";
  if (!isState(change)) return false;
  const last = events.findLast(isState);
  return last !== undefined && stateOf(last) === stateOf(change);
}

function stateOf(change: IncidentChange): string {
  return change.kind === "failed" ? change.reason : change.kind;
}

function withEvent(incident: Incident, event: IncidentEvent): Incident {
  const { events, eventsLeftOut } = incident;
  if (events.length < MAX_EVENTS) return { ...incident, events: [...events, event] };
  const kept = events.toSpliced(MAX_EVENTS / 2, 1);
  return { ...incident, events: [...kept, event], eventsLeftOut: eventsLeftOut + 1 };
}

/** An id that sorts by time. The number tells incidents of the same millisecond apart. */
export function incidentId(atMs: number, number: number): string {
  return `${new Date(atMs).toISOString().replace(/[-:]/g, "")}-${number}`;
}

/** What was found is cut to this, in bytes of JSON: a driver may answer with 64 KiB. */
export const MAX_INSPECTION_BYTES = 16_384;
const MAX_DETAILS = 4;
const MAX_DETAIL_CHARACTERS = 200;

/** An inspection of a bounded size. */
export function boundInspection(report: InspectReport): InspectReport {
  if (JSON.stringify(report).length <= MAX_INSPECTION_BYTES) return report;
  const steps = report.steps.map((step) => {
    const { outcome } = step;
    if (!("details" in outcome)) return step;
    const details = outcome.details.slice(0, MAX_DETAILS).map((detail) => detail.slice(0, MAX_DETAIL_CHARACTERS));
    return { ...step, outcome: { ...outcome, details } };
  });
  return { ...report, steps };
}
