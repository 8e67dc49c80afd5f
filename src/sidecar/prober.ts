import { createCallers } from "./callers";
import { type Clock, createAlarm } from "./clock";
import { StatusCode } from "../grpc/status";
import type { ProbeResult } from "../driver/probe-result";

/** Lets any number of callers ask for the driver's state at little cost to the driver. */
export interface Prober {
  /** A result that is true of the driver at some instant after this call. A caller that goes away ends no probe. */
  probe(): Promise<ProbeResult>;
  /** Whether a probe is in flight. */
  isProbing(): boolean;
  /** Resolves when no probe is in flight. */
  idle(): Promise<void>;
}

export interface ProberOptions {
  /** Probes once. Must not reject, and takes `timeoutMs` at most, or a little longer. */
  readonly probeOnce: () => Promise<ProbeResult>;
  /**
   * Told of each probe's result, also of one that nobody waits for any more. `begun` numbers the probes in the order in
   * which they began; they may end in another.
   */
  readonly onResult: (result: ProbeResult, begun: number) => void;
  /** How long one probe may take. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** How many probes run at a time at most. With the question for the driver's name, a driver sees four connections. */
export const MAX_IN_FLIGHT = 3;

/** The shortest time between two probes that overlap. A driver that works answers within it, so callers share. */
export const SHORTEST_SPACING_MS = 100;

/** Nobody waits longer than a probe's timeout and this. It leaves 100 ms of a second for the rest of the way. */
export const SLACK_MS = 900;

/**
 * Shares probes among callers by this rule: an answer of the driver's goes to everyone who waits; a probe without an
 * answer counts only for callers who asked before it began, but a caller who has waited for the timeout and `SLACK_MS`
 * is told of the latest one that has ended since he asked.
 *
 * A probe begins beside others a third of the timeout after the latest of them. So one of the three places is always free
 * when it is due, and no caller is told of a probe that began more than `timeoutMs / 3 - SLACK_MS` before he asked:
 * 100 ms with a timeout of 3 s, and none at all up to 2.7 s.
 */
export function createProber({ probeOnce, onResult, timeoutMs, clock }: ProberOptions): Prober {
  const spacingMs = Math.max(SHORTEST_SPACING_MS, timeoutMs / MAX_IN_FLIGHT);
  const callers = createCallers();
  const alarm = createAlarm(clock, advance);
  let sequence = 0;
  let latestBegun = 0;
  // In the order in which they began.
  let inFlight: readonly Flight[] = [];
  let busy: PromiseWithResolvers<void> | undefined;

  /** Does what is due, and sets the alarm for what is due next. */
  function advance(): void {
    const nowMs = clock.nowMs();
    callers.tellOverdue(nowMs);
    if (nextBeginMs() <= nowMs) begin(nowMs);
    alarm.set(Math.min(nextBeginMs(), callers.nextLimitMs()));
  }

  /** When the next probe is to begin; `Infinity` where nobody needs one, or one has to end first. */
  function nextBeginMs(): number {
    if (callers.lastAsked() <= latestBegun || inFlight.length === MAX_IN_FLIGHT) return Infinity;
    return (inFlight.at(-1)?.beganMs ?? -Infinity) + spacingMs;
  }

  function begin(beganMs: number): void {
    busy ??= Promise.withResolvers();
    latestBegun = ++sequence;
    const flight = { begun: latestBegun, beganMs };
    inFlight = [...inFlight, flight];
    void probeOnce().then((result) => settle(flight, result));
  }

  function settle(flight: Flight, result: ProbeResult): void {
    inFlight = inFlight.filter((other) => other !== flight);
    onResult(result, flight.begun);
    if (isAnswer(result)) callers.tellAll(result);
    else callers.tellEarlier(result, flight.begun);
    advance();
    if (inFlight.length > 0) return;
    busy?.resolve();
    busy = undefined;
  }

  return {
    probe: () => {
      const answer = callers.add(++sequence, clock.nowMs() + timeoutMs + SLACK_MS);
      advance();
      return answer;
    },
    isProbing: () => inFlight.length > 0,
    idle: () => busy?.promise ?? Promise.resolve(),
  };
}

/** A probe that runs. */
interface Flight {
  readonly begun: number;
  readonly beganMs: number;
}

/**
 * Whether the driver itself has said this, just now. One that gives up at the `grpc-timeout` of a probe has not said
 * anything to those who asked after that probe began.
 */
function isAnswer(result: ProbeResult): boolean {
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
