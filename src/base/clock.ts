/** A monotonic clock, for durations and timers. Times for people come from `Date.now()`. */
export interface Clock {
  /** Milliseconds, with fractions, on a scale of its own. Never goes back. */
  nowMs(): number;
  /** Calls `call` after `delayMs`, give or take a millisecond; the returned function cancels it. */
  after(delayMs: number, call: () => void): () => void;
}

export const MONOTONIC_CLOCK: Clock = {
  nowMs: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A timer that can be moved. */
export interface Alarm {
  /** Moves it to an instant of the clock; `Infinity` is never. */
  set(atMs: number): void;
}

/** Calls `ring` at the instant that is set; then it is set to never. */
export function createAlarm(clock: Clock, ring: () => void): Alarm {
  let setTo = Infinity;
  let cancel: (() => void) | undefined;

  function ringNow(): void {
    setTo = Infinity;
    cancel = undefined;
    ring();
  }

  return {
    set: (atMs) => {
      if (atMs === setTo) return;
      cancel?.();
      setTo = atMs;
      cancel = atMs === Infinity ? undefined : clock.after(Math.max(0, atMs - clock.nowMs()), ringNow);
    },
  };
}
