import { type Deadline, startDeadline } from "../base/deadline";
import { callOrRepeat, callUnary, decodeAnswer } from "../grpc/call";
import type { CallOutcome } from "../grpc/call-outcome";
import { openConnection, type ConnectFailure, type Connection } from "../grpc/connection";
import { explainRefusal } from "../grpc/refusal";
import { statusName } from "../grpc/status";

/** What a call of a conversation came to. */
export type CallAnswer<Response> =
  | { readonly kind: "answered"; readonly response: Response }
  /** The driver does not serve this RPC, which CSI allows for most of them. `outcome` is its status. */
  | { readonly kind: "unimplemented"; readonly outcome: Unanswered }
  | { readonly kind: "noAnswer"; readonly outcome: Unanswered }
  /** Nothing was sent. */
  | { readonly kind: "notAsked"; readonly why: NotAskedReason };

/** Any outcome of a call but an answer, as `diagnoseCall` takes it. */
export type Unanswered = Exclude<CallOutcome, { readonly kind: "answered" }>;

/** Why a call was not sent: the total time was up, or we had closed the connection. */
export type NotAskedReason = "noTimeLeft" | "closed";

export interface TimedCall<Response> {
  readonly answer: CallAnswer<Response>;
  /** From the request to what it came to; 0 where it was not sent. */
  readonly durationMs: number;
}

/**
 * Calls over one connection, one after another: one that is made while another runs waits for it. Where the driver has
 * closed the connection, or said with GOAWAY that it takes no more on it, that is what each further call comes to (`closed`).
 * The first call alone is made once more, over another connection, where the driver refused it without looking at it.
 */
export interface Conversation extends Disposable {
  readonly timing: ConnectTiming;
  /**
   * The first call ends by the deadline that connecting began, as a probe of the sidecar does; each further one has
   * `timeoutMs` of its own.
   *
   * @param method the gRPC path, such as `/csi.v1.Identity/Probe`; its request message is empty
   * @param timeoutMs for this call alone, whatever the conversation's own timeouts say
   */
  call<Response>(
    method: string,
    decode: (message: Uint8Array) => Response,
    timeoutMs?: number,
  ): Promise<TimedCall<Response>>;
  /** Frees the connection and all that hangs on it; a call that runs ends as `closed`. Safe to call more than once. */
  close(): void;
}

/** How long connecting took, in its two steps. */
export interface ConnectTiming {
  /** Until connect(2) had succeeded. */
  readonly connectMs: number;
  /** From then to the driver's HTTP/2 SETTINGS. */
  readonly settingsMs: number;
}

export interface NoConnection {
  readonly kind: "noConnection";
  readonly failure: ConnectFailure;
  readonly elapsedMs: number;
  /** Until connect(2) had succeeded; absent where it did not. */
  readonly connectMs?: number;
}

export type ConversationOutcome = { readonly kind: "open"; readonly conversation: Conversation } | NoConnection;

export interface ConversationOptions {
  readonly socketPath: string;
  /** For connecting and the first call together, and anew for each further call. */
  readonly timeoutMs: number;
  /** For all of it together; without it there is no such bound. */
  readonly totalTimeoutMs?: number;
  readonly userAgent: string;
}

/**
 * Connects once, for a person asks now: what fails is told, not tried again, and a driver that hangs gets no second
 * connection. Whatever a driver does is an outcome; only a fault of ours rejects.
 */
export async function openConversation(options: ConversationOptions): Promise<ConversationOutcome> {
  const total = startBudget(options.totalTimeoutMs);
  const deadline = startDeadline(Math.min(options.timeoutMs, total.remainingMs()));
  let connectMs: number | undefined;
  let opened = false;
  try {
    const attempted = await openConnection(options.socketPath, deadline, () => (connectMs = deadline.elapsedMs()));
    const outcome = await explainRefusal(attempted, options.socketPath);
    const elapsedMs = deadline.elapsedMs();
    if (outcome.kind !== "connected") {
      const reached = connectMs === undefined ? {} : { connectMs };
      return { kind: "noConnection", failure: outcome, elapsedMs, ...reached };
    }
    const timing = { connectMs: connectMs ?? elapsedMs, settingsMs: elapsedMs - (connectMs ?? elapsedMs) };
    opened = true;
    return { kind: "open", conversation: converse({ ...outcome, timing, deadline, total, options }) };
  } finally {
    // An open conversation keeps it for its first call.
    if (!opened) deadline.clear();
  }
}

/** With less time left than this, a further call is not sent: nothing could come of it. Timers may fire a millisecond early. */
const LEAST_CALL_MS = 5;

interface Budget {
  remainingMs(): number;
}

function startBudget(totalMs = Infinity): Budget {
  const startedAt = performance.now();
  return { remainingMs: () => Math.max(0, totalMs - (performance.now() - startedAt)) };
}

interface Opened {
  readonly connection: Connection;
  readonly timing: ConnectTiming;
  /** That of connecting. */
  readonly deadline: Deadline;
  readonly total: Budget;
  readonly options: ConversationOptions;
}

function converse({ connection, timing, deadline, total, options }: Opened): Conversation {
  const { timeoutMs, userAgent } = options;
  let current = connection;
  const closing = Promise.withResolvers<CallOutcome>();
  let first: Deadline | undefined = deadline;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  async function ask<Response>(
    method: string,
    decode: (message: Uint8Array) => Response,
    ownTimeoutMs: number | undefined,
  ): Promise<TimedCall<Response>> {
    if (closed) return notAsked("closed");
    const isFirst = first !== undefined;
    const limit = takeDeadline(ownTimeoutMs);
    if (limit === undefined) return notAsked("noTimeLeft");
    const begunMs = limit.elapsedMs();
    try {
      const call = isFirst ? callFirst(method, limit) : callUnary(current, method, userAgent, limit);
      const outcome = await Promise.race([call, closing.promise]);
      return { answer: answerOf(outcome, decode), durationMs: limit.elapsedMs() - begunMs };
    } finally {
      limit.clear();
    }
  }

  /** As a probe of the sidecar. */
  async function callFirst(method: string, limit: Deadline): Promise<CallOutcome> {
    const called = await callOrRepeat(current, { ...options, method, deadline: limit });
    current = called.connection;
    if (closed) current.close();
    return called.outcome;
  }

  function takeDeadline(ownTimeoutMs: number | undefined): Deadline | undefined {
    const ofConnecting = first;
    first = undefined;
    if (ofConnecting !== undefined && ownTimeoutMs === undefined) return ofConnecting;
    ofConnecting?.clear();
    const limitMs = ownTimeoutMs ?? Math.min(timeoutMs, total.remainingMs());
    return limitMs < LEAST_CALL_MS ? undefined : startDeadline(limitMs);
  }

  function close(): void {
    closed = true;
    first?.clear();
    current.close();
    closing.resolve({ kind: "closed" });
  }

  return {
    timing,
    call: (method, decode, ownTimeoutMs) => {
      const next = last.then(() => ask(method, decode, ownTimeoutMs));
      last = next.catch(() => undefined);
      return next;
    },
    close,
    [Symbol.dispose]: close,
  };
}

function notAsked(why: NotAskedReason): TimedCall<never> {
  return { answer: { kind: "notAsked", why }, durationMs: 0 };
}

function answerOf<Response>(outcome: CallOutcome, decode: (message: Uint8Array) => Response): CallAnswer<Response> {
  if (outcome.kind === "status" && statusName(outcome.code) === "Unimplemented") {
    return { kind: "unimplemented", outcome };
  }
  return decodeAnswer(outcome, decode);
}
