import { Deadline } from "../base/deadline";
import { callUnary } from "../grpc/call";
import type { CallOutcome } from "../grpc/call-outcome";
import { type ConnectFailure, type Connection, openConnection } from "../grpc/connection";
import { explainRefusal } from "../grpc/refusal";

/** Lets go of what is kept open. */
export interface Hold {
  /** A deadline that also passes when this is let go. */
  deadline(timeoutMs: number): Deadline;
  letGo(): void;
  isLetGo(): boolean;
}

export function createHold(): Hold {
  let isLetGo = false;
  let current: Deadline | undefined;
  return {
    deadline: (timeoutMs) => {
      current = new Deadline(timeoutMs);
      if (isLetGo) current.expire();
      return current;
    },
    letGo: () => {
      isLetGo = true;
      current?.expire();
    },
    isLetGo: () => isLetGo,
  };
}

/** Why there is no answer in time. */
export type Hang = {
  /** `connect`: nothing in HTTP/2 so far. `call`: the call is not answered. */
  readonly at: "connect" | "call";
  readonly timing: HeldTiming;
};

export interface HeldTiming {
  /** Until connect(2) had succeeded, if it did. */
  readonly connectMs: number | undefined;
  /** To the driver's HTTP/2 SETTINGS; undefined where they did not come. */
  readonly openMs: number | undefined;
  readonly elapsedMs: number;
}

export type HeldOutcome = {
  readonly timing: HeldTiming;
  /** Whether it took longer than the timeout. */
  readonly wasHung: boolean;
} & (
  | { readonly kind: "noConnection"; readonly failure: ConnectFailure }
  /** The connection is the caller's to close. */
  | { readonly kind: "called"; readonly outcome: CallOutcome; readonly connection: Connection }
  /** It was kept open for `MAX_HOLD_MS`, or let go. */
  | { readonly kind: "ended" }
);

export interface HeldCallOptions {
  readonly socketPath: string;
  /** Service and method, such as `/csi.v1.Identity/Probe`. */
  readonly path: string;
  /** For connecting and the call together. After it the call goes on. */
  readonly timeoutMs: number;
  readonly hold: Hold;
  /**
   * Called when the time is over; a second time where the driver then speaks HTTP/2, but does not answer the call
   * either.
   */
  readonly onHang: (hang: Hang) => void;
}

/**
 * How long a connection is kept open, in milliseconds. A driver that has lost it would look hung for ever, so then a
 * new one is made. One connection an hour does not fill the queue of a driver that accepts none.
 */
const MAX_HOLD_MS = 3_600_000;

/**
 * How long a call may take until it is made anew on the same connection, in milliseconds: it may have been lost in the
 * driver.
 */
const MAX_CALL_MS = 300_000;

/**
 * Makes one call on a connection of its own, and does not give up when the time is over: the connection stays open, and
 * its first SETTINGS or its answer tells at once that the driver works again. To connect and close in its place would
 * fill the queue of a driver that does not accept, until the kubelet is refused, too.
 */
export async function callAndHold(options: HeldCallOptions): Promise<HeldOutcome> {
  const { socketPath, timeoutMs, hold, onHang } = options;
  const begunMs = performance.now();
  const elapsedMs = () => performance.now() - begunMs;
  let connectMs: number | undefined;
  let openMs: number | undefined;
  let wasHung = false;
  const timing = (): HeldTiming => ({ connectMs, openMs, elapsedMs: elapsedMs() });
  const late = (at: Hang["at"]) => () => {
    wasHung = true;
    onHang({ at, timing: timing() });
  };

  const connecting = hold.deadline(MAX_HOLD_MS);
  const opened = await patiently(
    openConnection(socketPath, connecting, () => (connectMs = elapsedMs())),
    timeoutMs,
    late("connect"),
  ).finally(() => connecting.clear());
  if (opened.kind !== "connected") {
    if (opened.kind === "silent") return { kind: "ended", timing: timing(), wasHung };
    const failure = await explainRefusal(opened, socketPath);
    if (failure.kind !== "connected") return { kind: "noConnection", failure, timing: timing(), wasHung };
    return { kind: "ended", timing: timing(), wasHung };
  }
  openMs = elapsedMs();
  // With no time left and no hang told, this process did not run for a while: the driver gets the whole time.
  const leftMs = wasHung || openMs >= timeoutMs ? timeoutMs : timeoutMs - openMs;
  const called = await patiently(call(opened.connection, options, begunMs), leftMs, late("call"));
  if (called !== undefined) return { kind: "called", ...called, timing: timing(), wasHung };
  return { kind: "ended", timing: timing(), wasHung };
}

interface Called {
  readonly outcome: CallOutcome;
  readonly connection: Connection;
}

/** Undefined where it was let go, or took too long. */
async function call(
  opened: Connection,
  { socketPath, path, hold }: HeldCallOptions,
  begunMs: number,
): Promise<Called | undefined> {
  let connection = opened;
  let mayRepeat = true;
  while (!hold.isLetGo() && performance.now() - begunMs < MAX_HOLD_MS) {
    const deadline = hold.deadline(MAX_CALL_MS);
    // oxlint-disable no-await-in-loop -- one call after the other
    const outcome = await callUnary(connection, path, deadline).finally(() => deadline.clear());
    if (mayRepeat && "unprocessed" in outcome) {
      // The driver has not looked at it: every gRPC client calls once more (RFC 9113, section 8.7).
      mayRepeat = false;
      connection.close();
      const connecting = hold.deadline(MAX_CALL_MS);
      const again = await openConnection(socketPath, connecting).finally(() => connecting.clear());
      if (again.kind !== "connected") return { outcome, connection };
      connection = again.connection;
    } else if (outcome.kind !== "timeout") {
      return { outcome, connection };
    }
    // oxlint-enable no-await-in-loop
  }
  connection.close();
  return undefined;
}

/** Calls `onLate` where something takes longer than `timeoutMs`, in which this process has run. */
async function patiently<T>(waiting: Promise<T>, timeoutMs: number, onLate: () => void): Promise<T> {
  const deadline = new Deadline(timeoutMs);
  deadline.onExpiry(onLate);
  try {
    return await waiting;
  } finally {
    deadline.clear();
  }
}
