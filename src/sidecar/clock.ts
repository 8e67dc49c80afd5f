/** A clock that nobody sets: for durations, and for what is to happen later. Times for people come from `Date.now()`. */
export interface Clock {
  /** Milliseconds, with fractions, on a scale of its own. Never goes back. */
  nowMs(): number;
  /** Calls `call` after `delayMs`, at times a little earlier or later; the returned function takes that back. */
  after(delayMs: number, call: () => void): () => void;
}

export const MONOTONIC_CLOCK: Clock = {
  nowMs: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
};

/** One call to come, which can be put off. */
export interface Alarm {
  /** Moves it to an instant of the clock; `Infinity` is never. */
  set(atMs: number): void;
}

/** An alarm that calls `ring` when its time has come, and then is set to never. */
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
