import { StatusCode } from "./csi/status";
import type { ProbeResult } from "./probe-result";

/** Lets any number of callers ask for the driver's state at little cost to the driver. */
export interface Prober {
  /** A result that is true of the driver at some instant after this call. A caller that goes away ends no probe. */
  probe(): Promise<ProbeResult>;
  /** Resolves when no probe is in flight. */
  idle(): Promise<void>;
}

export interface ProberOptions {
  /** Probes once. Must not reject. */
  readonly probeOnce: () => Promise<ProbeResult>;
  /**
   * Told of each probe's result, also of one that nobody waits for any more. `begun` numbers the probes in the order in
   * which they began; they may end in another.
   */
  readonly onResult: (result: ProbeResult, begun: number) => void;
}

/** How many probes run at a time at most: the one in flight, and one begun for those who came too late for it. */
export const MAX_IN_FLIGHT = 2;

/**
 * How long a caller waits for the answer to an earlier probe before one of its own begins beside it. A driver that works
 * answers within it, so callers share; with one that is slow, no caller's probe begins later than this because of another's.
 */
export const OVERLAP_AFTER_MS = 100;

/**
 * Shares probes among callers. What the driver itself says answers everyone who waits; that it did not answer is true
 * only for those who had asked before that probe began, and the others get the next one.
 */
export function createProber({ probeOnce, onResult }: ProberOptions): Prober {
  let sequence = 0;
  let latestBegun = 0;
  let inFlight = 0;
  let waiting: Waiter[] = [];
  let overlapTimer: ReturnType<typeof setTimeout> | undefined;
  let onIdle = Promise.withResolvers<void>();
  onIdle.resolve();

  function begin(): void {
    if (inFlight === 0) onIdle = Promise.withResolvers<void>();
    inFlight += 1;
    sequence += 1;
    const begun = sequence;
    latestBegun = begun;
    void probeOnce().then((result) => settle(result, begun));
  }

  function settle(result: ProbeResult, begun: number): void {
    inFlight -= 1;
    onResult(result, begun);
    const forAll = isAnswerForAll(result);
    const answered = waiting.filter(({ asked }) => forAll || asked < begun);
    waiting = forAll ? [] : waiting.filter(({ asked }) => asked > begun);
    for (const waiter of answered) waiter.resolve(result);
    if (waiting.length === 0) clearOverlap();
    if (isSomeoneTooLate()) begin();
    if (inFlight === 0) onIdle.resolve();
  }

  const isSomeoneTooLate = () => waiting.some(({ asked }) => asked > latestBegun);

  function clearOverlap(): void {
    clearTimeout(overlapTimer);
    overlapTimer = undefined;
  }

  function beginBeside(): void {
    overlapTimer = undefined;
    if (inFlight < MAX_IN_FLIGHT && isSomeoneTooLate()) begin();
  }

  return {
    probe: () => {
      sequence += 1;
      const { promise, resolve } = Promise.withResolvers<ProbeResult>();
      waiting.push({ asked: sequence, resolve });
      if (inFlight === 0) begin();
      else if (inFlight < MAX_IN_FLIGHT) overlapTimer ??= setTimeout(beginBeside, OVERLAP_AFTER_MS);
      return promise;
    },
    idle: () => onIdle.promise,
  };
}

interface Waiter {
  readonly asked: number;
  readonly resolve: (result: ProbeResult) => void;
}

/**
 * Whether a result answers also those who asked after its probe had begun: only what the driver said, for it said it
 * just now. A driver that gives up at the `grpc-timeout` of an earlier probe has not said anything to a later caller.
 */
function isAnswerForAll(result: ProbeResult): boolean {
  switch (result.kind) {
    case "ready":
    case "notReady":
      return true;
    case "failed": {
      const code = result.timing.rpc?.statusCode;
      return result.reason === "rpc_error" && code !== StatusCode.deadlineExceeded && code !== StatusCode.canceled;
    }
  }
  return result satisfies never;
}
