import {
  type CapabilityReport,
  type DriverOutcome,
  type DriverReport,
  type NodeReport,
  NOT_READY,
} from "../inspection/report";
import { oneLine } from "../base/text";
import { type Colour, formatElapsed } from "./layout";
import type { Style } from "./style";
import { layOutTable, type TableColumn, renderTable } from "./table";

export interface NodeTableStyle extends Style {
  /** Processes and capabilities too. */
  readonly wide: boolean;
}

/**
 * The drivers of a node as a table, in the report's order; empty where there are none. Everything that drivers and the
 * file system say is escaped. In a terminal, messages and what does not fit stand below the row; elsewhere each driver
 * is one line, uncut.
 */
export function renderNodeTable({ drivers }: NodeReport, style: NodeTableStyle): string {
  return renderTable(columnsOf(style), drivers, style);
}

/** The same with a column behind STATE that tells what has changed. */
export function layOutLiveTable(
  drivers: readonly DriverReport[],
  style: NodeTableStyle,
  changed: Pick<Column, "text" | "colour">,
) {
  const columns = columnsOf(style);
  const place = columns.indexOf(STATE) + 1;
  return layOutTable(columns.toSpliced(place, 0, { ...changed, header: "CHANGED", leaves: 8 }), drivers, style);
}

type Column = TableColumn<DriverReport>;

// The CSI specification gives a name 63 bytes and any string 128; a message of ours holds at most 1 KiB of a driver's
// text and a path.
const MAX_NAME_BYTES = 256;
const MAX_TEXT_BYTES = 4_096;
/** More than all names of the specification take. */
const MAX_CAPABILITIES_BYTES = 1_024;

const COLOURS: Readonly<Record<DriverOutcome["kind"], Colour>> = {
  ready: "green",
  notReady: "yellow",
  notAsked: "yellow",
  failed: "red",
  notCsi: "dim",
};

const STATE: Column = {
  header: "STATE",
  text: stateOf,
  colour: ({ outcome, slow }) => (slow ? "yellow" : COLOURS[outcome.kind]),
};

function columnsOf({ wide }: NodeTableStyle): readonly Column[] {
  return [
    { header: "DRIVER", atMost: (width) => Math.min(0.4 * width, 64), text: driverText },
    {
      header: "VERSION",
      leaves: 5,
      atMost: (width) => Math.min(0.25 * width, 24),
      text: ({ vendorVersion }) => name(vendorVersion),
    },
    STATE,
    { header: "CONNECT", leaves: 7, text: ({ connectMs }) => elapsed(connectMs) },
    { header: "CALL", leaves: 6, text: ({ callMs }) => elapsed(callMs) },
    { header: "ANNOUNCED", leaves: 4, text: ({ announced }) => announced },
    { header: "POD", leaves: 3, text: wide ? podText : podOrProcessText },
    { header: "CONTAINER", leaves: 3, text: ({ listener }) => name(listener?.container) },
    ...(wide ? [{ header: "PROCESS", leaves: 1, text: processText }] : []),
    { header: "SOCKET", leaves: 2, text: ({ socket }) => oneLine(socket, MAX_TEXT_BYTES) },
    ...(wide ? (["plugin", "node", "controller"] as const).map(capabilities) : []),
    { header: "MESSAGE", place: "note", text: messageText },
  ];
}

function driverText(report: DriverReport): string {
  const { driver, nameSource, outcome } = report;
  const isItsOwn = outcome.kind === "notCsi" || driver === undefined || nameSource === "driver";
  return isItsOwn ? nameText(report) : `${nameText(report)}${NOT_ITS_OWN_NAME}`;
}

/** The driver's name, whoever tells it. */
export function nameText({ driver, outcome }: DriverReport): string {
  if (outcome.kind === "notCsi") return `not CSI: ${name(outcome.what)}`;
  return driver === undefined ? "<unknown>" : name(driver);
}

/** Marks a name that does not come from the driver itself. */
export const NOT_ITS_OWN_NAME = "*";

/** With the state of its process, if that explains why it does not answer. */
function stateOf({ outcome, slow, listener }: DriverReport): string {
  const told = toldState(outcome);
  const state = slow ? `${told}, slow` : told;
  if (listener === undefined || ANSWERING.has(listener.state.letter)) return state;
  return `${state}, ${listener.state.word} (${listener.state.letter})`;
}

/** Such as `not ready` or `failed: hung`. */
export function toldState(outcome: DriverOutcome): string {
  return outcome.kind === "failed" ? `failed: ${outcome.reason}` : STATES[outcome.kind];
}

// In words for a person: JSON has `notReady`, metrics and logs of the sidecar `not_ready`.
const STATES = { ready: "ready", notReady: "not ready", notAsked: "not asked", notCsi: "not CSI" } as const;

/** The states of a process that may answer at any time: running, sleeping, idle. */
const ANSWERING: ReadonlySet<string> = new Set(["R", "S", "I"]);

function podText({ listener }: DriverReport): string {
  const { namespace, pod } = listener ?? {};
  if (pod === undefined) return "";
  return name(namespace === undefined ? pod : `${namespace}/${pod}`);
}

function podOrProcessText(driver: DriverReport): string {
  const process = processText(driver);
  return podText(driver) || (process && `pid ${process}`);
}

function processText({ listener }: DriverReport): string {
  return listener === undefined ? "" : `${listener.pid} (${name(listener.command)})`;
}

export function messageText({ driver, nameSource, outcome }: DriverReport): string {
  switch (outcome.kind) {
    case "ready":
      return "";
    case "notReady":
      return `Probe answered ${NOT_READY}`;
    case "failed":
    case "notAsked":
      return oneLine(outcome.message, MAX_TEXT_BYTES);
    case "notCsi":
      return driver === undefined || nameSource === "directory" ? "" : `its name is ${name(driver)}`;
  }
  return outcome satisfies never;
}

function capabilities(service: keyof CapabilityReport): Column {
  const text = ({ capabilities: report }: DriverReport): string => {
    const names = report?.[service];
    if (names === undefined) return "";
    return names.length === 0 ? "none" : oneLine(names.join(", "), MAX_CAPABILITIES_BYTES);
  };
  return { header: `${service.toUpperCase()} CAPABILITIES`, place: "below", text };
}

function elapsed(ms: number | undefined): string {
  return ms === undefined ? "" : formatElapsed(ms);
}

// Three spaces separate columns.
function name(text: string | undefined): string {
  return oneLine(text ?? "", MAX_NAME_BYTES)
    .replace(/ {2,}/g, " ")
    .trim();
}
