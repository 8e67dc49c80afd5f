import type { Clock } from "../../src/base/clock";

/** A clock that stands still until it is moved on. */
export interface VirtualClock extends Clock {
  /** Lets `ms` pass: each timer that is due fires in its turn, and what it starts settles before the next one fires. */
  advance(ms: number): Promise<void>;
}

/**
 * @param inaccuracyMs how much later than asked for a timer fires (earlier where it is negative); asked anew for each
 *   timer
 */
export function createVirtualClock(inaccuracyMs: () => number = () => 0): VirtualClock {
  let nowMs = 0;
  let timers: readonly Timer[] = [];

  function after(delayMs: number, fire: () => void): () => void {
    const timer = { dueMs: nowMs + Math.max(0, delayMs + inaccuracyMs()), fire };
    timers = [...timers, timer].toSorted((one, other) => one.dueMs - other.dueMs);
    return () => void (timers = timers.filter((kept) => kept !== timer));
  }

  async function advance(ms: number): Promise<void> {
    const endMs = nowMs + ms;
    for (let timer = timers[0]; timer !== undefined && timer.dueMs <= endMs; timer = timers[0]) {
      timers = timers.slice(1);
      nowMs = timer.dueMs;
      timer.fire();
      // oxlint-disable-next-line no-await-in-loop -- one timer after the other is the point
      await settled();
    }
    nowMs = endMs;
  }

  return { nowMs: () => nowMs, after, advance };
}

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** Lets promises settle that wait for nothing else. */
export async function settled(): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one turn after the other is the point
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
