import type { Clock } from "../base/clock";
import { ConfigError } from "../base/errors";
import { type NodePlaces, type NodeView, openNode } from "../inspection/node-view";
import type { Asker } from "../inspection/questions";
import { type AskOptions, askDriver, askRegistrar, type RegistrarAnswer } from "./ask";
import { lookAtProcesses } from "./driver-process";
import { createDriverTable, type DriverTable } from "./driver-table";
import { countProbe, type DriverRecord, type WatchEvent } from "./driver-record";
import { createHold, type Hold } from "./held-call";
import { birthOf } from "./node-scan";
import { createScheduler } from "./scheduler";

export interface WatchOptions extends Asker {
  /** The node of `places`, opened. */
  readonly opened: NodeView;
  readonly places: NodePlaces;
  /** Only the driver of this name; all of them where undefined. */
  readonly driver: string | undefined;
  readonly intervalMs: number;
  /** Makes what is told of all that happens. */
  readonly observe: (node: WatchedNode) => (event: WatchEvent) => void;
  readonly clock: Clock;
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
  readonly random: () => number;
}

/** The node, as it was when it was last looked through. */
export interface WatchedNode {
  readonly view: () => NodeView;
}

/** Watches every driver of a node. */
export interface Watch {
  readonly table: DriverTable;
  /** How long it is since the node was looked through, in milliseconds. */
  sinceScanMs(): number;
  /** How long that took. */
  scanDurationMs(): number;
  /** How many connections are kept open to drivers that hang. */
  heldConnections(): number;
  /** Closes every connection. */
  stop(): void;
}

/** A registration socket, and what it said. */
interface Registrar {
  readonly socket: AskOptions["socket"];
  readonly birth: bigint | undefined;
  answer: Exclude<RegistrarAnswer, { readonly kind: "silent" }> | undefined;
  hold: Hold | undefined;
}

/** Between two scans that were not waited for the interval, in milliseconds. */
const SCAN_GAP_MS = 5_000;

/** A name that a driver does not tell is asked for so often. */
const MAX_INFO_FAILURES = 3;

/** Begins to watch. It resolves when the node was looked through once more. */
export async function startWatch(options: WatchOptions): Promise<Watch> {
  const { places, clock, intervalMs, random } = options;
  let node = options.opened;
  const registrars = new Map<string, Registrar>();
  const scheduler = createScheduler<DriverRecord | Registrar>({
    clock,
    intervalMs,
    random,
    begin: (key) => void ("path" in key ? beginDriver(key) : beginRegistrar(key)),
  });
  const onEvent = options.observe({ view: () => node });
  const table = createDriverTable({
    ...options,
    onEvent,
    onNew: (record) => {
      if (isScanning) fresh.add(record);
      else begin(record);
    },
    onLeave: (record) => {
      fresh.delete(record);
      record.hold?.letGo();
      record.hold = undefined;
      scheduler.remove(record);
    },
  });
  // Found by the scan that runs: they are asked when it is over, so that who listens is known before the driver's
  // state.
  const fresh = new Set<DriverRecord>();
  let scannedMs = clock.nowMs();
  let durationMs = 0;
  let isScanning = false;
  let isBroken = false;
  let isAbsent = false;
  let stopped = false;
  let cancel: (() => void) | undefined;

  function begin(record: DriverRecord): void {
    scheduler.add(record);
    // It was ready: whether it is again is news.
    if (record.lastReadyAtMs !== undefined) scheduler.hurry(record);
  }

  /** Asks the table to look at the sockets that are there. */
  function reconcile(): void {
    const sockets = table.update(node, (fileId) => registrars.get(fileId)?.answer);
    const there = new Map(sockets.registry.map((socket) => [socket.fileId, socket]));
    for (const [fileId, registrar] of registrars) {
      const socket = there.get(fileId);
      if (socket !== undefined && birthOf(socket) === registrar.birth) continue;
      registrars.delete(fileId);
      registrar.hold?.letGo();
      scheduler.remove(registrar);
    }
    for (const [fileId, socket] of there) {
      if (registrars.has(fileId)) continue;
      const registrar: Registrar = { socket, birth: birthOf(socket), answer: undefined, hold: undefined };
      registrars.set(fileId, registrar);
      scheduler.add(registrar);
    }
  }

  async function scan(): Promise<void> {
    cancel?.();
    isScanning = true;
    const begunMs = clock.nowMs();
    try {
      node = await openNode(places);
      reconcile();
      await lookAtProcesses(node, table.records(), {
        nowMs: clock.nowMs(),
        onRestart: (record, pid) => onEvent({ kind: "restarted", record, pid }),
      });
      table.refresh();
      tellAbsence();
      if (isBroken) onEvent({ kind: "nodeReadable" });
      isBroken = false;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (!isBroken) onEvent({ kind: "nodeUnreadable", error: error.message });
      isBroken = true;
    } finally {
      isScanning = false;
      for (const record of fresh) begin(record);
      fresh.clear();
      scannedMs = clock.nowMs();
      durationMs = scannedMs - begunMs;
      if (!stopped) cancel = clock.after(intervalMs, () => void scan());
    }
  }

  /** Once every driver was asked, since it may be the one that is watched by the name that it tells. */
  function tellAbsence(): void {
    if (options.driver === undefined || table.records().some(isUnasked)) return;
    const { absent } = table.report();
    if (absent !== undefined && !isAbsent) onEvent({ kind: "absent", why: absent });
    isAbsent = absent !== undefined;
  }

  /** A socket is not what it was: the node is looked through before its time, but not again and again. */
  function scanSoon(): void {
    if (isScanning || stopped) return;
    cancel?.();
    cancel = clock.after(Math.max(0, scannedMs + Math.min(SCAN_GAP_MS, intervalMs) - clock.nowMs()), () => void scan());
  }

  async function beginDriver(record: DriverRecord): Promise<void> {
    if (record.place.kind !== "socket") return;
    if (record.inspecting !== undefined) {
      // An inspection may take long, and this must not take the place of another driver.
      scheduler.tell(record, "postponed");
      return record.inspecting.then(() => scheduler.hurry(record));
    }
    const hold = createHold();
    record.hold = hold;
    const isCurrent = () => record.hold === hold;
    const { socket, birth } = record.place;
    let wasHung = false;
    const asked = await askDriver({
      ...options,
      socket,
      birth,
      hold,
      wantsInfo: record.told === undefined && record.infoFailures < MAX_INFO_FAILURES,
      onHang: (answers, hang) => {
        if (!isCurrent()) return;
        if (!wasHung) countProbe(record, answers);
        wasHung = true;
        scheduler.tell(record, "hang");
        table.settle(record, answers, hang);
      },
    });
    if (!isCurrent()) return;
    record.hold = undefined;
    const { answers, event } = asked;
    if (answers === undefined) {
      if (event === "loss") onEvent({ kind: "connectionLost", record });
      if (event === "failure") {
        table.settleReplaced(record);
        scanSoon();
      }
      return scheduler.tell(record, event);
    }
    record.replacements = 0;
    if (!wasHung) countProbe(record, answers);
    table.settle(record, answers);
    if (table.isOther(record)) return scheduler.tell(record, "lastAnswer");
    const { kind } = record.surveyed.report.outcome;
    // What is no driver is asked less and less often; where a fault of ours kept us from asking, the driver may be
    // ready.
    scheduler.tell(record, kind === "notCsi" ? "failure" : kind === "notAsked" ? "answer" : event);
  }

  async function beginRegistrar(registrar: Registrar): Promise<void> {
    const hold = createHold();
    registrar.hold = hold;
    const answer = await askRegistrar({
      ...options,
      socket: registrar.socket,
      birth: registrar.birth,
      hold,
      onHang: () => scheduler.tell(registrar, "hang"),
    });
    if (hold.isLetGo()) return;
    registrar.hold = undefined;
    scheduler.tell(registrar, answer.kind === "silent" ? answer.event : "lastAnswer");
    if (answer.kind === "silent") return;
    registrar.answer = answer;
    reconcile();
  }

  await scan();
  return {
    table,
    sinceScanMs: () => clock.nowMs() - scannedMs,
    scanDurationMs: () => durationMs,
    heldConnections: () => scheduler.held(),
    stop: () => {
      stopped = true;
      cancel?.();
      scheduler.stop();
      for (const { hold } of [...table.records(), ...registrars.values()]) hold?.letGo();
    },
  };
}

function isUnasked({ place, answers }: DriverRecord): boolean {
  return place.kind === "socket" && answers === undefined;
}
