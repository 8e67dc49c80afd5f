import type { Clock } from "../base/clock";
import { reportDriver, reportElsewhere, type Surveyed } from "../inspection/driver-report";
import { driverDirectoryOf, type NodeView } from "../inspection/node-view";
import type { DriverAnswers } from "../inspection/questions";
import { isCsiRegistration, registrationsOf } from "../inspection/registrations";
import type { NodeReport } from "../inspection/report";
import type { NodeSocket } from "../node/socket-search";
import {
  createRecord,
  type DriverRecord,
  type DriverView,
  forgetListener,
  labelDrivers,
  latencyOf,
  NOT_ASKED_YET,
  type WatchEvent,
} from "./driver-record";
import type { Hang } from "./held-call";
import { type AnswerOf, birthOf, type NodeSockets, reportNode, socketsOf } from "./node-scan";

/** What is known of the node's drivers, by the paths of their sockets. */
export interface DriverTable {
  /** Takes in which sockets are there. */
  update(node: NodeView, answerOf: AnswerOf): NodeSockets;
  /** Takes in what is known now of processes. */
  refresh(): void;
  /** Takes in what a driver answered, or that it does not. */
  settle(record: DriverRecord, answers: DriverAnswers, hang?: Hang): void;
  /** Another file, or none, is in the socket's place. The second time in a row that is a failure. */
  settleReplaced(record: DriverRecord): void;
  /** Whether it has told its name, and is not the one that is watched. */
  isOther(record: DriverRecord): boolean;
  records(): readonly DriverRecord[];
  /** The drivers that are there, and sockets that turned out to be no driver's. */
  drivers(): readonly DriverView[];
  /** Whether a driver of this name was there at any time. */
  hasSeen(name: string): boolean;
  /** As `list` reports it. */
  report(): NodeReport;
  /** How many sockets were found, and how many are not watched because they are too many. */
  counts(): { readonly found: number; readonly leftOut: number };
}

export interface DriverTableOptions {
  readonly driver: string | undefined;
  readonly probeTimeoutMs: number;
  readonly onEvent: (event: WatchEvent) => void;
  readonly clock: Clock;
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
  /** A socket is there that was not: it is to be asked. */
  readonly onNew: (record: DriverRecord) => void;
  /** A socket is gone, or another one is in its place. */
  readonly onLeave: (record: DriverRecord) => void;
}

/** A driver that is gone may come back, as when its pod is replaced. After this it is given up, in milliseconds. */
const GIVE_UP_MS = 600_000;

/** And after this it is forgotten. */
const FORGET_MS = 3_600_000;

/** So many that are gone are remembered: a socket may be renamed again and again. */
export const MAX_GONE = 64;

/** So many names are remembered of drivers that were there at any time. */
const MAX_SEEN_NAMES = 1_024;

export function createDriverTable(options: DriverTableOptions): DriverTable {
  const { driver: wanted, probeTimeoutMs, clock, onEvent, onNew, onLeave } = options;
  const records = new Map<string, DriverRecord>();
  const seen = new Set<string>();
  let current: (NodeSockets & { readonly node: NodeView }) | undefined;

  function update(node: NodeView, answerOf: AnswerOf): NodeSockets {
    const sockets = socketsOf(node, answerOf);
    current = { ...sockets, node };
    const elsewhere = reportElsewhere(sockets.registrations);
    for (const socket of sockets.drivers) {
      const record = records.get(socket.path);
      if (record === undefined) add(socket.path, socket);
      else placeAt(record, socket);
    }
    const there = new Set(sockets.drivers.map(({ path }) => path));
    for (const surveyed of elsewhere) {
      const { socket: path } = surveyed.report;
      if (there.has(path)) continue;
      there.add(path);
      settleElsewhere(records.get(path) ?? add(path, undefined), surveyed);
    }
    for (const record of records.values()) if (!there.has(record.path)) leave(record);
    forget();
    refresh();
    return sockets;
  }

  function add(path: string, socket: NodeSocket | undefined): DriverRecord {
    const record = createRecord(path, socket);
    records.set(path, record);
    onEvent({ kind: "found", record });
    if (socket !== undefined) onNew(record);
    return record;
  }

  /** A socket at the path of a driver that is known: the same one, or another. */
  function placeAt(record: DriverRecord, socket: NodeSocket): void {
    const { place } = record;
    const birth = birthOf(socket);
    const isSame = place.kind === "socket" && place.socket.fileId === socket.fileId && place.birth === birth;
    if (place.kind === "socket" && !isSame) onLeave(record);
    record.place = { kind: "socket", socket, birth };
    if (isSame) return;
    forgetListener(record);
    onEvent({ kind: "socketReplaced", record });
    onNew(record);
  }

  function settleElsewhere(record: DriverRecord, surveyed: Surveyed): void {
    move(record, { kind: "elsewhere" });
    follow(record, () => {
      if (stateText(record.surveyed) !== stateText(surveyed)) record.surveyed = surveyed;
    });
    remember(record);
  }

  function leave(record: DriverRecord): void {
    const nowMs = clock.nowMs();
    if (record.place.kind !== "gone") {
      move(record, { kind: "gone", sinceMs: nowMs });
      onEvent({ kind: "socketGone", record });
    } else if (nowMs - record.place.sinceMs >= GIVE_UP_MS) {
      onEvent({ kind: "givenUp", record });
    }
  }

  function move(record: DriverRecord, place: DriverRecord["place"]): void {
    if (record.place.kind === "socket") onLeave(record);
    record.place = place;
    record.answers = undefined;
    record.process = undefined;
  }

  function forget(): void {
    const forgetBefore = clock.nowMs() - FORGET_MS;
    const gone = [...records.values()].flatMap((record) =>
      record.place.kind === "gone" ? [{ record, sinceMs: record.place.sinceMs }] : [],
    );
    const newestFirst = gone.toSorted((one, other) => other.sinceMs - one.sinceMs);
    for (const [index, { record, sinceMs }] of newestFirst.entries()) {
      if (index < MAX_GONE && sinceMs > forgetBefore) continue;
      onEvent({ kind: "givenUp", record });
      records.delete(record.path);
    }
  }

  function refresh(): void {
    for (const record of records.values()) follow(record, () => survey(record));
  }

  /** Changes what is known of a driver, or leaves it as it is; tells of a new outcome if the driver is watched. */
  function follow(record: DriverRecord, change: () => void, hang?: Hang): void {
    const before = record.surveyed.report.outcome;
    change();
    const { outcome } = record.surveyed.report;
    if (before === outcome) return;
    if (!isOther(record)) onEvent({ kind: "outcome", record, before, hang });
    if (outcome.kind === "ready") record.lastReadyAtMs = options.wallMs();
  }

  /** Puts together what a socket answered and what is said of it elsewhere, as `list` does. */
  function survey(record: DriverRecord): void {
    const { place, answers = NOT_ASKED_YET, process } = record;
    if (current === undefined || place.kind !== "socket") return;
    const { node, registrations } = current;
    const { socket } = place;
    const circumstances = { listener: process?.listener, registrations, node, probeTimeoutMs };
    const surveyed = reportDriver(socket, answers, circumstances);
    const outcome = stateText(surveyed) === stateText(record.surveyed) ? record.surveyed.report.outcome : undefined;
    record.surveyed = outcome === undefined ? surveyed : { ...surveyed, report: { ...surveyed.report, outcome } };
    const here = registrationsOf(socket, registrations).filter(isCsiRegistration);
    const { driver } = surveyed.report;
    record.registrationSocket = here[0]?.socket.path;
    const isDirectory = driverDirectoryOf(node, socket.path) === driver;
    record.nameRank = here.some(({ info }) => info.name === driver) ? 0 : isDirectory ? 1 : 2;
    remember(record);
  }

  function remember({ surveyed: { names } }: DriverRecord): void {
    if (wanted !== undefined && !names.has(wanted)) return;
    for (const name of names) if (seen.size < MAX_SEEN_NAMES) seen.add(name);
  }

  function settle(record: DriverRecord, answers: DriverAnswers, hang?: Hang): void {
    if (answers.name !== undefined) record.told ??= answers;
    else if (record.told === undefined && answers.connectMs !== undefined) record.infoFailures += 1;
    const { name, vendorVersion } = record.told ?? answers;
    const change = () => {
      record.answers = { ...answers, name, vendorVersion };
      survey(record);
      // Each answer counts, also where it says the same again.
      const { surveyed } = record;
      const outcome = { ...surveyed.report.outcome };
      record.surveyed = { ...surveyed, report: { ...surveyed.report, outcome } };
    };
    follow(record, change, hang);
    const { outcome } = record.surveyed.report;
    onEvent({ kind: "probed", record });
    if (outcome.kind === "notCsi") return;
    const state = outcome.kind === "notAsked" ? "unknown" : outcome.kind;
    record.history.note(state, latencyOf(answers, probeTimeoutMs), options.wallMs());
  }

  const isOther = ({ told, surveyed }: DriverRecord): boolean =>
    wanted !== undefined && told !== undefined && !surveyed.names.has(wanted);

  const there = () => [...records.values()].filter(({ place }) => place.kind !== "gone");

  function shown(): readonly DriverRecord[] {
    return wanted === undefined ? there() : there().filter(({ surveyed }) => surveyed.names.has(wanted));
  }

  return {
    update,
    refresh,
    settle,
    settleReplaced: (record) => {
      record.replacements += 1;
      if (record.replacements < 2) return;
      const message = `no such file: ${record.path} was removed, or replaced by another file, twice in a row`;
      settle(record, { ...NOT_ASKED_YET, outcome: { kind: "failed", reason: "socket_missing", message } });
    },
    isOther,
    records: () => [...records.values()],
    drivers: () => labelDrivers(shown()),
    hasSeen: (name) => seen.has(name),
    report: () =>
      reportNode(
        there().map(({ surveyed }) => surveyed),
        wanted,
        current,
      ),
    counts: () => ({ found: current?.drivers.length ?? 0, leftOut: current?.leftOut ?? 0 }),
  };
}

function stateText({ report: { outcome } }: Surveyed): string {
  return JSON.stringify(outcome);
}
