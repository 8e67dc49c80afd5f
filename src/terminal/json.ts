import { jsonText } from "../base/text";
import {
  type DriverOutcome,
  type DriverReport,
  type InspectReport,
  type InspectStep,
  NOT_READY,
  type NodeReport,
} from "../inspection/report";
import { tenths } from "./layout";

export type DocumentKind = "ProbeResult" | "DriverList" | "DriverInspection" | "IncidentList" | "Incident" | "Report";

/** Of every document: fields are only ever added within it. */
const API_VERSION = "livenessprobe/v1";

/**
 * A JSON document as Kubernetes writes them, with a newline at its end; docs/output.schema.json describes them. Members
 * that are undefined are left out. Characters that are not printable are escaped, so that it cannot steer a terminal.
 *
 * @param indent 0 is one line
 */
export function renderDocument(kind: DocumentKind, members: object, indent = 2): string {
  const json = JSON.stringify({ apiVersion: API_VERSION, kind, ...members }, wellFormed, indent);
  return `${json.replace(PERHAPS_UNPRINTABLE, escapeForJson)}\n`;
}

/** What came of asking a driver, in members that are named as those of `ProbeResult`. */
export function outcomeMembers({ kind: state, ...members }: DriverOutcome): object {
  return { state, ...(state === "notReady" && { reason: "not_ready", message: NOT_READY }), ...members };
}

// Line feeds are those of the indentation: within a string they are escaped already.
const PERHAPS_UNPRINTABLE = /[^ -~\n]/gu;

function escapeForJson(character: string): string {
  return jsonText([character]).slice('["'.length, -'"]'.length);
}

/** Parsers in other languages refuse lone surrogates. */
function wellFormed(_: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}

/** The drivers of a node as a JSON document of the kind `DriverList`. */
export function renderNodeJson(report: NodeReport, indent?: number): string {
  return renderDocument("DriverList", nodeMembers(report), indent);
}

export function nodeMembers({ drivers, looked, notes, complete, absent }: NodeReport): object {
  const all = absent === undefined ? notes : [absent, ...notes];
  return { items: drivers.map(driverMembers), complete, looked, notes: all };
}

function driverMembers({ socket, driver, nameSource, vendorVersion, outcome, ...rest }: DriverReport): object {
  const { connectMs, callMs, slow, announced, listener, capabilities } = rest;
  return {
    socket,
    driver,
    nameSource,
    vendorVersion,
    ...outcomeMembers(outcome),
    connectMs: connectMs === undefined ? undefined : tenths(connectMs),
    callMs: callMs === undefined ? undefined : tenths(callMs),
    slow: slow || undefined,
    announced,
    listener: listener && { ...listener, state: listener.state.letter },
    capabilities,
  };
}

/** One driver in depth as a JSON document of the kind `DriverInspection`. */
export function renderInspectionJson(report: InspectReport): string {
  return renderDocument("DriverInspection", inspectionMembers(report));
}

export function inspectionMembers({ socket, driver, outcome, slow, steps, verdict, next }: InspectReport): object {
  return {
    socket,
    driver,
    ...outcomeMembers(outcome),
    slow: slow || undefined,
    verdict,
    next,
    steps: steps.map(stepMembers),
  };
}

function stepMembers({ title, outcome, elapsedMs }: InspectStep): object {
  const { kind, ...members } = outcome;
  return { title, outcome: kind, ...members, elapsedMs: elapsedMs === undefined ? undefined : tenths(elapsedMs) };
}
