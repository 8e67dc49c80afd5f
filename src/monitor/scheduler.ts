import type { Clock } from "../base/clock";

/** When one socket is asked. */
export interface Schedule {
  readonly phase: Phase;
  /** How often in a row there was no answer and no connection was left. */
  readonly failures: number;
}

export type Phase =
  /** `Infinity` is never. */
  | { readonly kind: "waiting"; readonly dueMs: number }
  | { readonly kind: "asking" }
  /** The time for an answer is over, and the connection is kept open: whatever comes on it is the recovery. */
  | { readonly kind: "held" };

/** What came of asking. */
export type AskEvent =
  /**
   * The driver itself has said something, even if it is an error; or a fault of this process kept it from being asked.
   */
  | "answer"
  /** There is nothing more to ask: what was said stays true as long as the socket is there. */
  | "lastAnswer"
  /** There was no answer, and no connection is left. */
  | "failure"
  /** The time for an answer is over. The connection is kept open. */
  | "hang"
  /** The driver has closed the connection that was kept open. */
  | "loss"
  /** It may have no connection now. It waits until it is hurried. */
  | "postponed"
  /** The connection was kept open for long enough: a new one is made in its place. */
  | "expiry";

/** So many sockets are asked at a time. An inspection makes one connection more. */
export const MAX_ASKING = 7;

/** A socket that does not answer is asked at least this often, in milliseconds, unless the interval is longer. */
export const MAX_BACK_OFF_MS = 5 * 60_000;

/** And at least after so many intervals: whoever asks often waits for the recovery. */
const MAX_BACK_OFF_INTERVALS = 10;

/** After a held connection was closed: its process has most likely ended, and another may start. */
const AFTER_LOSS_MS = 1_000;

/** Each delay differs by up to a tenth, so that thousands of nodes and their drivers are not asked in step. */
const JITTER = 0.1;

/** A new socket is asked within a tenth of the interval. */
export function firstSchedule(nowMs: number, intervalMs: number, random: number): Schedule {
  return { phase: { kind: "waiting", dueMs: nowMs + random * JITTER * intervalMs }, failures: 0 };
}

/**
 * @param random from 0 to 1
 */
export function advanceSchedule(
  { failures }: Schedule,
  event: AskEvent,
  { nowMs, intervalMs, random }: { readonly nowMs: number; readonly intervalMs: number; readonly random: number },
): Schedule {
  const after = (delayMs: number, failed: number): Schedule => {
    const jittered = delayMs * (1 - JITTER + 2 * JITTER * random);
    return { phase: { kind: "waiting", dueMs: nowMs + jittered }, failures: failed };
  };
  const backOffMs = Math.max(
    intervalMs,
    Math.min(intervalMs * Math.min(2 ** failures, MAX_BACK_OFF_INTERVALS), MAX_BACK_OFF_MS),
  );
  switch (event) {
    case "answer":
      return after(intervalMs, 0);
    case "lastAnswer":
      return { phase: { kind: "waiting", dueMs: Infinity }, failures: 0 };
    case "postponed":
      return { phase: { kind: "waiting", dueMs: Infinity }, failures };
    case "failure":
      return after(backOffMs, failures + 1);
    case "hang":
      return { phase: { kind: "held" }, failures };
    case "loss":
      return after(failures === 0 ? AFTER_LOSS_MS : backOffMs, failures + 1);
    case "expiry":
      return after(0, failures);
  }
  return event satisfies never;
}

export interface SchedulerOptions<Key> {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** From 0 to 1, as `Math.random`. */
  readonly random: () => number;
  /** Begins to ask. What comes of it is told with `tell`, later. */
  readonly begin: (key: Key) => void;
}

/** Decides which socket is asked when. Each has a timer of its own, and never more than one connection. */
export interface Scheduler<Key> {
  /** Begins to ask a socket. */
  add(key: Key): void;
  /** Asks it now, if it waits. */
  hurry(key: Key): void;
  /** Tells what came of asking; nothing where the socket is no longer there. */
  tell(key: Key, event: AskEvent): void;
  remove(key: Key): void;
  /** How many connections are kept open. */
  held(): number;
  stop(): void;
}

export function createScheduler<Key>({ clock, intervalMs, random, begin }: SchedulerOptions<Key>): Scheduler<Key> {
  const schedules = new Map<Key, Schedule>();
  let cancel: (() => void) | undefined;
  let stopped = false;

  const count = (kind: Phase["kind"]) => [...schedules.values()].filter(({ phase }) => phase.kind === kind).length;

  /** Begins what is due, the longest overdue first, and sets the timer for what is due next. */
  function pump(): void {
    cancel?.();
    cancel = undefined;
    if (stopped) return;
    const nowMs = clock.nowMs();
    const waiting = [...schedules]
      .flatMap(([key, { phase }]) => (phase.kind === "waiting" ? [{ key, dueMs: phase.dueMs }] : []))
      .toSorted((one, other) => one.dueMs - other.dueMs);
    const places = MAX_ASKING - count("asking");
    const due = waiting.slice(0, places).filter(({ dueMs }) => dueMs <= nowMs);
    for (const { key } of due) schedules.set(key, { failures: 0, ...schedules.get(key), phase: { kind: "asking" } });
    const next = due.length < places ? waiting[due.length] : undefined;
    if (next !== undefined && next.dueMs !== Infinity) cancel = clock.after(Math.max(0, next.dueMs - nowMs), pump);
    for (const { key } of due) begin(key);
  }

  function set(key: Key, schedule: Schedule): void {
    schedules.set(key, schedule);
    pump();
  }

  return {
    add: (key) => set(key, firstSchedule(clock.nowMs(), intervalMs, random())),
    hurry: (key) => {
      const schedule = schedules.get(key);
      if (schedule?.phase.kind !== "waiting") return;
      set(key, { ...schedule, phase: { kind: "waiting", dueMs: Math.min(schedule.phase.dueMs, clock.nowMs()) } });
    },
    tell: (key, event) => {
      const schedule = schedules.get(key);
      if (schedule === undefined) return;
      set(key, advanceSchedule(schedule, event, { nowMs: clock.nowMs(), intervalMs, random: random() }));
    },
    remove: (key) => {
      schedules.delete(key);
      pump();
    },
    held: () => count("held"),
    stop: () => {
      stopped = true;
      cancel?.();
    },
  };
}
