import type { Surveyed } from "../inspection/driver-report";
import type { NodeSocket } from "../node/socket-search";
import type { DriverAnswers } from "../inspection/questions";
import type { DriverOutcome, DriverReport } from "../inspection/report";
import type { DriverProcess } from "./driver-process";
import type { Hang, Hold } from "./held-call";
import type { Incident } from "./incidents/incident";
import { birthOf } from "./node-scan";
import { createHistory, type History } from "./page/history";

/** What is remembered of the driver at one path. */
export interface DriverRecord {
  readonly path: string;
  place: Place;
  /** What was last known; undefined before the first answer. Name and version are those that this socket told first. */
  answers: DriverAnswers | undefined;
  told: Pick<DriverAnswers, "name" | "vendorVersion"> | undefined;
  /** How often its name was asked for in vain. */
  infoFailures: number;
  /** How often in a row its file was another one when it was to be asked. */
  replacements: number;
  surveyed: Surveyed;
  /** The registration socket that names it. */
  registrationSocket: string | undefined;
  /** Who says that it is called so, for two that are called alike: the lower, the more it counts. */
  nameRank: number;
  process: DriverProcess | undefined;
  /** The last one that was seen, which may have ended. */
  lastProcess: DriverProcess | undefined;
  /** When it may be looked again for who listens, by the clock. */
  lookAgainMs: number;
  /** How often nobody was found. */
  lookFailures: number;
  oomKills: number | undefined;
  /** The last hour, for the page. */
  readonly history: History;
  readonly probes: { ready: number; notReady: number; failed: number };
  /** Milliseconds since the epoch. */
  lastReadyAtMs: number | undefined;
  incident: OpenIncident | undefined;
  hold: Hold | undefined;
  /** Until then it gets no other connection. */
  inspecting: Promise<void> | undefined;
}

export type Place =
  | { readonly kind: "socket"; readonly socket: NodeSocket; readonly birth: bigint | undefined }
  /** It is registered with a path that is not connected to. */
  | { readonly kind: "elsewhere" }
  | { readonly kind: "gone"; readonly sinceMs: number };

export interface OpenIncident {
  readonly incident: Incident;
  /** By the clock. */
  readonly openedMs: number;
  readonly log: readonly string[] | undefined;
}

/** What happens to a driver, or to the whole node, while it is watched. */
export type WatchEvent =
  | { readonly kind: "found"; readonly record: DriverRecord }
  /** Another file is in the place of the socket. */
  | { readonly kind: "socketReplaced"; readonly record: DriverRecord }
  | { readonly kind: "socketGone"; readonly record: DriverRecord }
  /** The driver has been gone for so long that it is not expected back. */
  | { readonly kind: "givenUp"; readonly record: DriverRecord }
  /** Another process listens. */
  | { readonly kind: "restarted"; readonly record: DriverRecord; readonly pid: number }
  /** The driver closed the connection that was kept open for its answer. */
  | { readonly kind: "connectionLost"; readonly record: DriverRecord }
  /** The driver was asked: its outcome is new or said again. `hang` is where it hangs. */
  | {
      readonly kind: "outcome";
      readonly record: DriverRecord;
      readonly before: DriverOutcome;
      readonly hang: Hang | undefined;
    }
  | { readonly kind: "probed"; readonly record: DriverRecord }
  /** No driver has the name of the one that is watched. */
  | { readonly kind: "absent"; readonly why: string }
  | { readonly kind: "nodeUnreadable"; readonly error: string }
  | { readonly kind: "nodeReadable" };

/** What is told of a driver to the outside. */
export interface DriverView extends Pick<
  DriverRecord,
  "registrationSocket" | "process" | "oomKills" | "probes" | "lastReadyAtMs" | "history"
> {
  readonly report: DriverReport;
  readonly names: ReadonlySet<string>;
  /** Its name for people and labels: no two drivers have the same. */
  readonly label: string;
}

/** What is known before the first answer. */
export const NOT_ASKED_YET: DriverAnswers = {
  outcome: { kind: "notAsked", message: "it has not been asked yet" },
};

/** @param socket undefined where it is registered with a path that is not connected to */
export function createRecord(path: string, socket: NodeSocket | undefined): DriverRecord {
  return {
    path,
    place: socket === undefined ? { kind: "elsewhere" } : { kind: "socket", socket, birth: birthOf(socket) },
    answers: undefined,
    told: undefined,
    infoFailures: 0,
    replacements: 0,
    surveyed: {
      report: { socket: path, outcome: NOT_ASKED_YET.outcome, slow: false, announced: "unknown" },
      names: new Set(),
      notes: [],
    },
    registrationSocket: undefined,
    nameRank: 0,
    process: undefined,
    lastProcess: undefined,
    lookAgainMs: 0,
    lookFailures: 0,
    oomKills: undefined,
    history: createHistory(),
    probes: { ready: 0, notReady: 0, failed: 0 },
    lastReadyAtMs: undefined,
    incident: undefined,
    hold: undefined,
    inspecting: undefined,
  };
}

/** Its name in the log. */
export function nameOf(record: DriverRecord): string {
  return record.surveyed.report.driver ?? "unknown";
}

/** Nothing is known of whoever listens on a socket that is new in its place. */
export function forgetListener(record: DriverRecord): void {
  record.answers = undefined;
  record.told = undefined;
  record.infoFailures = 0;
  record.process = undefined;
  record.lookAgainMs = 0;
  record.lookFailures = 0;
}

/** Counts what came of a probe. What was no fault of the driver's does not count. */
export function countProbe({ probes }: DriverRecord, { outcome }: DriverAnswers): void {
  if (outcome.kind !== "notAsked") probes[outcome.kind] += 1;
}

/** How long an answer took. One that did not come in time is a hang, and may come after hours. */
export function latencyOf({ outcome, connectMs = 0, callMs }: DriverAnswers, timeoutMs: number): number | undefined {
  const isHung = outcome.kind === "failed" && outcome.reason === "hung";
  return callMs === undefined || isHung || connectMs + callMs > timeoutMs ? undefined : connectMs + callMs;
}

/** The longest name that the CSI specification allows (GetPluginInfo). */
export const MAX_NAME_CHARACTERS = 63;

/**
 * Names each driver. A name is cut to `MAX_NAME_CHARACTERS`. Of two drivers with one name, the one that is registered
 * by it keeps it, or whose directory is called so, or the first; the other one's socket is added. So it is where no
 * name is known.
 */
export function labelDrivers(records: readonly DriverRecord[]): readonly DriverView[] {
  const taken = new Set<string>();
  const ranked = records.toSorted((one, other) => one.nameRank - other.nameRank);
  const labels = new Map(
    ranked.map((record) => {
      const name = record.surveyed.report.driver?.slice(0, MAX_NAME_CHARACTERS) || "unknown";
      // A driver may call itself as it likes; no name of CSI has a slash.
      const isFree = name !== "unknown" && !name.includes("/") && !taken.has(name);
      taken.add(name);
      return [record, isFree ? name : `${name}:${record.path}`];
    }),
  );
  return records.map((record) => {
    const { report, names } = record.surveyed;
    const { registrationSocket, process, oomKills, probes, lastReadyAtMs, history } = record;
    const label = labels.get(record) ?? record.path;
    return { report, names, label, registrationSocket, process, oomKills, probes, lastReadyAtMs, history };
  });
}

/**
 * The state in a word: `ready`, `not_ready`, the reason of a failure, or `unknown`; undefined for what is no driver.
 */
export function stateOf(outcome: DriverOutcome): string | undefined {
  switch (outcome.kind) {
    case "ready":
      return "ready";
    case "notReady":
      return "not_ready";
    case "failed":
      return outcome.reason;
    case "notAsked":
      return "unknown";
    case "notCsi":
      return undefined;
  }
  return outcome satisfies never;
}

/** Why a driver is not ready, in a line. */
export function whyNotReady(outcome: DriverOutcome): string {
  switch (outcome.kind) {
    case "ready":
      return "ready";
    case "notReady":
      return "driver responded but is not ready";
    case "failed":
    case "notAsked":
      return outcome.message;
    case "notCsi":
      return outcome.what;
  }
  return outcome satisfies never;
}
