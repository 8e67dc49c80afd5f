import { createCallers } from "./callers";
import { type Clock, createAlarm } from "../base/clock";
import { StatusCode } from "../grpc/status";
import type { ProbeResult } from "../driver/probe";

/** Probes the driver for any number of callers, with few connections. */
export interface Prober {
  /** A result that was true at some instant after this call. A caller that goes away does not end a probe. */
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
   * Called with each probe's result, even if no caller waits for it. `begun` numbers the probes in the order in which
   * they began; they may end in another order.
   */
  readonly onResult: (result: ProbeResult, begun: number) => void;
  /** How long one probe may take. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** How many probes run at a time. With the call for its name, a driver sees at most four connections. */
export const MAX_IN_FLIGHT = 3;

/** The shortest time between the starts of two overlapping probes. A normal driver answers within it. */
export const SHORTEST_SPACING_MS = 100;

/** A caller waits at most for a probe's timeout and this. It leaves 100 ms of a second for HTTP and scheduling. */
export const SLACK_MS = 900;

/**
 * Shares probes among callers by this rule: an answer of the driver goes to all callers that wait. A probe without an
 * answer counts only for callers that asked before it began, but a caller that has waited for the timeout and
 * `SLACK_MS` gets the latest one that has ended since it asked.
 *
 * While probes run, the next begins a third of the timeout after the latest. So one of the three places is free when
 * the next is due, and no caller gets the result of a probe that began more than `timeoutMs / 3 - SLACK_MS` before it
 * asked:
 * 100 ms with a timeout of 3 s, and never up to 2.7 s.
 */
export function createProber({ probeOnce, onResult, timeoutMs, clock }: ProberOptions): Prober {
  const spacingMs = Math.max(SHORTEST_SPACING_MS, timeoutMs / MAX_IN_FLIGHT);
  const callers = createCallers();
  const alarm = createAlarm(clock, advance);
  let sequence = 0;
  let latestBegun = 0;
  // In the order in which they began.
  const inFlight: Flight[] = [];
  let busy: PromiseWithResolvers<void> | undefined;

  /** Does what is due, and sets the alarm for the next time. */
  function advance(): void {
    const nowMs = clock.nowMs();
    callers.tellOverdue(nowMs);
    if (nextBeginMs() <= nowMs) begin(nowMs);
    alarm.set(Math.min(nextBeginMs(), callers.nextLimitMs()));
  }

  /** When the next probe is to begin; `Infinity` if no caller needs one, or one has to end first. */
  function nextBeginMs(): number {
    if (callers.lastAsked() <= latestBegun || inFlight.length === MAX_IN_FLIGHT) return Infinity;
    return (inFlight.at(-1)?.beganMs ?? -Infinity) + spacingMs;
  }

  function begin(beganMs: number): void {
    busy ??= Promise.withResolvers();
    latestBegun = ++sequence;
    const flight = { begun: latestBegun, beganMs };
    inFlight.push(flight);
    void probeOnce().then((result) => settle(flight, result));
  }

  function settle(flight: Flight, result: ProbeResult): void {
    inFlight.splice(inFlight.indexOf(flight), 1);
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
 * Whether this is an answer of the driver. A driver that gives up at a probe's `grpc-timeout` (`DeadlineExceeded`,
 * `Canceled`) has not answered callers that asked after that probe began.
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
