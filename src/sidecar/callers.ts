import type { ProbeResult } from "../driver/probe-result";

/** Those who wait for a result. Probes and questions are numbered together, in the order in which they began. */
export interface Callers {
  /**
   * Adds one.
   *
   * @param limitMs when he is told what he has heard of by then
   */
  add(asked: number, limitMs: number): Promise<ProbeResult>;
  /** When the last of those who wait asked; 0 where nobody waits. */
  lastAsked(): number;
  /** Tells everyone. */
  tellAll(result: ProbeResult): void;
  /** Tells those who asked before a probe began; the others have now heard of it. */
  tellEarlier(result: ProbeResult, begun: number): void;
  /** Tells those whose limit has come what they have heard of; who has heard of nothing goes on waiting. */
  tellOverdue(nowMs: number): void;
  /** When `tellOverdue` is due next; `Infinity` where nobody has heard of anything. */
  nextLimitMs(): number;
}

export function createCallers(): Callers {
  // In the order in which they asked, which is that of their limits.
  let waiting: Caller[] = [];

  function tell(resultFor: (caller: Caller) => ProbeResult | undefined): void {
    waiting = waiting.filter((caller) => {
      const result = resultFor(caller);
      if (result !== undefined) caller.resolve(result);
      return result === undefined;
    });
  }

  // Whoever asked earlier has heard of as much, so the first one tells for all.
  const nextLimitMs = () => (waiting[0]?.heard === undefined ? Infinity : waiting[0].limitMs);

  return {
    add: (asked, limitMs) => {
      const { promise, resolve } = Promise.withResolvers<ProbeResult>();
      waiting.push({ asked, limitMs, resolve, heard: undefined });
      return promise;
    },
    lastAsked: () => waiting.at(-1)?.asked ?? 0,
    tellAll: (result) => tell(() => result),
    tellEarlier: (result, begun) => {
      tell(({ asked }) => (asked < begun ? result : undefined));
      for (const caller of waiting) if (begun > (caller.heard?.begun ?? 0)) caller.heard = { begun, result };
    },
    tellOverdue: (nowMs) => {
      if (nextLimitMs() <= nowMs) tell(({ limitMs, heard }) => (limitMs <= nowMs ? heard?.result : undefined));
    },
    nextLimitMs,
  };
}

interface Caller {
  readonly asked: number;
  readonly limitMs: number;
  readonly resolve: (result: ProbeResult) => void;
  /** Of the probes that have ended since he asked, the one that began last. */
  heard: { readonly begun: number; readonly result: ProbeResult } | undefined;
}
