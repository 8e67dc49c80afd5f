import type { ProbeResult } from "../driver/probe";

/** The callers that wait for a result. Calls and probes are numbered together, in the order in which they began. */
export interface Callers {
  /**
   * Adds a caller.
   *
   * @param limitMs the instant at which it gets the latest failure, even if a later probe still runs
   */
  add(asked: number, limitMs: number): Promise<ProbeResult>;
  /** The number of the latest call that waits; 0 if none waits. */
  lastAsked(): number;
  /** Gives every caller this result. */
  tellAll(result: ProbeResult): void;
  /** Gives the result to callers that asked before the probe began; the others keep it for their limit. */
  tellEarlier(result: ProbeResult, begun: number): void;
  /** Gives callers past their limit the latest failure; a caller without one goes on waiting. */
  tellOverdue(nowMs: number): void;
  /** When `tellOverdue` is due next; `Infinity` if no caller has a failure to get. */
  nextLimitMs(): number;
}

export function createCallers(): Callers {
  // In the order of their calls, which is the order of their limits.
  let waiting: Caller[] = [];

  function tell(resultFor: (caller: Caller) => ProbeResult | undefined): void {
    waiting = waiting.filter((caller) => {
      const result = resultFor(caller);
      if (result !== undefined) caller.resolve(result);
      return result === undefined;
    });
  }

  // An earlier caller knows of each failure that a later one knows of, so the first decides for all.
  const nextLimitMs = () => (waiting[0]?.latest === undefined ? Infinity : waiting[0].limitMs);

  return {
    add: (asked, limitMs) => {
      const { promise, resolve } = Promise.withResolvers<ProbeResult>();
      waiting.push({ asked, limitMs, resolve, latest: undefined });
      return promise;
    },
    lastAsked: () => waiting.at(-1)?.asked ?? 0,
    tellAll: (result) => {
      for (const { resolve } of waiting) resolve(result);
      waiting = [];
    },
    tellEarlier: (result, begun) => {
      tell(({ asked }) => (asked < begun ? result : undefined));
      for (const caller of waiting) if (begun > (caller.latest?.begun ?? 0)) caller.latest = { begun, result };
    },
    tellOverdue: (nowMs) => {
      if (nextLimitMs() <= nowMs) tell(({ limitMs, latest }) => (limitMs <= nowMs ? latest?.result : undefined));
    },
    nextLimitMs,
  };
}

interface Caller {
  readonly asked: number;
  readonly limitMs: number;
  readonly resolve: (result: ProbeResult) => void;
  /** Of the probes that ended since the call, the one that began last. */
  latest: { readonly begun: number; readonly result: ProbeResult } | undefined;
}
