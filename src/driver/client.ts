import { Deadline } from "../base/deadline";
import { errorText } from "../base/errors";
import { callUnary } from "../grpc/call";
import type { CallOutcome, Unanswered } from "../grpc/call-outcome";
import {
  connectFailureOf,
  openConnection,
  type ConnectFailure,
  type ConnectOutcome,
  type Connection,
} from "../grpc/connection";
import { explainRefusal } from "../grpc/refusal";
import { StatusCode } from "../grpc/status";

/** An RPC whose request message is empty. Those that a driver is asked are in messages.ts and node-messages.ts. */
export interface Rpc<Response> {
  /** Service and method, such as `/csi.v1.Identity/Probe`. */
  readonly path: string;
  readonly decode: (message: Uint8Array) => Response;
  /** For this RPC alone, in place of the client's timeout. */
  readonly timeoutMs?: number;
}

export interface ClientOptions {
  readonly socketPath: string;
  /** For connecting and the first call together, and anew for each further call. */
  readonly timeoutMs: number;
  /**
   * Whether a failed connection is tried again until the deadline, as in the Go sidecar, so that a driver that starts
   * meanwhile is found. Without it the failure is told at once, and a driver that hangs gets no second connection.
   */
  readonly retryConnect?: boolean;
}

export type CallAnswer<Response> = { readonly kind: "answered"; readonly response: Response } | Unanswered;

export interface TimedCall<Response> {
  readonly answer: CallAnswer<Response>;
  readonly durationMs: number;
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
  /** Until connect(2) had succeeded, if it did. */
  readonly connectMs: number | undefined;
}

export type ClientOutcome = { readonly kind: "open"; readonly client: Client } | NoConnection;

/** A connection to a driver. Whoever opens it closes it. */
export class Client implements Disposable {
  readonly timing: ConnectTiming;
  readonly #connecting: Deadline;
  readonly #options: ClientOptions;
  #connection: Connection;
  #isFirst = true;

  /** @param connecting the deadline that connecting began */
  constructor(connection: Connection, timing: ConnectTiming, connecting: Deadline, options: ClientOptions) {
    this.timing = timing;
    this.#connecting = connecting;
    this.#options = options;
    this.#connection = connection;
  }

  /**
   * Makes one call; the next may be made when it has ended. When the driver has closed the connection, or has sent
   * GOAWAY, each further call is `closed`.
   *
   * The first call ends by the deadline that connecting began. If the driver refuses it without looking at it, it is
   * made once more, over another connection, as every gRPC client does (RFC 9113, section 8.7).
   */
  async call<Response>({ path, decode, timeoutMs }: Rpc<Response>): Promise<TimedCall<Response>> {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const shared = isFirst && timeoutMs === undefined ? this.#connecting : undefined;
    const deadline = shared ?? new Deadline(timeoutMs ?? this.#options.timeoutMs);
    const begunMs = deadline.elapsedMs();
    try {
      let outcome = await callUnary(this.#connection, path, deadline);
      if (isFirst && "unprocessed" in outcome) outcome = (await this.#callAgain(path, deadline)) ?? outcome;
      return { answer: decodeAnswer(outcome, decode), durationMs: deadline.elapsedMs() - begunMs };
    } finally {
      deadline.clear();
    }
  }

  [Symbol.dispose](): void {
    this.#connecting.clear();
    this.#connection.close();
  }

  /** Over another connection. Undefined where there is none. */
  async #callAgain(path: string, deadline: Deadline): Promise<CallOutcome | undefined> {
    this.#connection.close();
    const again = await openConnection(this.#options.socketPath, deadline);
    if (again.kind !== "connected") return undefined;
    this.#connection = again.connection;
    return callUnary(again.connection, path, deadline);
  }
}

/**
 * Connects to the driver that listens on a unix socket. What the driver does is an outcome; only a fault of ours
 * rejects.
 */
export async function openClient(options: ClientOptions): Promise<ClientOutcome> {
  const deadline = new Deadline(options.timeoutMs);
  let opened = false;
  try {
    let connectMs: number | undefined;
    const outcome = await connect(options, deadline, () => (connectMs = deadline.elapsedMs()));
    const elapsedMs = deadline.elapsedMs();
    if (outcome.kind !== "connected") return { kind: "noConnection", failure: outcome, elapsedMs, connectMs };
    opened = true;
    const timing = { connectMs: connectMs ?? elapsedMs, settingsMs: elapsedMs - (connectMs ?? elapsedMs) };
    return { kind: "open", client: new Client(outcome.connection, timing, deadline, options) };
  } finally {
    // An open client keeps it for its first call.
    if (!opened) deadline.clear();
  }
}

/** The outcome where the socket's file could not even be opened; `code` is the error's, such as `EMFILE`. */
export function noConnection(code: string): NoConnection {
  return { kind: "noConnection", failure: connectFailureOf(code), elapsedMs: 0, connectMs: undefined };
}

/** An RPC over a connection of its own. */
export interface SingleCall<Response> {
  readonly outcome: CallAnswer<Response> | NoConnection;
  readonly timing: CallTiming;
}

/** How long the parts of a call took, with its connection. A part that was not reached is absent. */
export interface CallTiming {
  readonly elapsedMs: number;
  /** To the driver's HTTP/2 SETTINGS. */
  readonly connectMs?: number;
  readonly rpc?: RpcTiming;
}

/** An RPC that was started, as `csi_sidecar_operations_seconds` counts it: connecting is not part of it. */
export interface RpcTiming {
  readonly durationMs: number;
  /** The number of the gRPC status code; a driver may send one that gRPC does not define. */
  readonly statusCode: number;
}

/** Connects, makes one call and closes the connection, all by one deadline. */
export async function callOnce<Response>(options: ClientOptions, rpc: Rpc<Response>): Promise<SingleCall<Response>> {
  const opened = await openClient(options);
  if (opened.kind !== "open") return { outcome: opened, timing: { elapsedMs: opened.elapsedMs } };
  using client = opened.client;
  const { answer, durationMs } = await client.call(rpc);
  const connectMs = client.timing.connectMs + client.timing.settingsMs;
  const timing = { durationMs, statusCode: statusCodeOf(answer) };
  return { outcome: answer, timing: { elapsedMs: connectMs + durationMs, connectMs, rpc: timing } };
}

/** The driver does not serve this RPC, which CSI allows for most of them. */
export function isUnimplemented(outcome: CallAnswer<unknown> | NoConnection): boolean {
  return outcome.kind === "status" && outcome.code === StatusCode.unimplemented;
}

// A failed connect(2) costs a driver nothing, so it is tried often; a connection that the driver closed, or that was
// not HTTP/2, is tried again after a second, as in the Go sidecar.
const REFUSED_PAUSE_MS = 100;
const FAILED_PAUSE_MS = 1_000;

async function connect(
  { socketPath, retryConnect = false }: ClientOptions,
  deadline: Deadline,
  onConnect: () => void,
): Promise<ConnectOutcome> {
  // Without the grace of a deadline, which is for answers: an attempt that begins in it has too little time to be
  // judged.
  const leftMs = (): number => deadline.timeoutMs - deadline.elapsedMs();
  for (let pauseMs = REFUSED_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, FAILED_PAUSE_MS)) {
    // oxlint-disable no-await-in-loop -- one attempt after the other
    const attempted = await openConnection(socketPath, deadline, onConnect);
    if (attempted.kind === "connected") return attempted;
    if (!retryConnect) return explainRefusal(attempted, socketPath);
    const waitMs = attempted.kind === "refused" ? pauseMs : FAILED_PAUSE_MS;
    if (leftMs() <= waitMs) {
      // Before the sleep: a driver may come up meanwhile.
      const outcome = await explainRefusal(attempted, socketPath);
      await deadline.sleep(waitMs);
      return outcome;
    }
    await deadline.sleep(waitMs);
    // A busy process may oversleep, and a timer may fire a millisecond early.
    if (leftMs() < 1) return explainRefusal(attempted, socketPath);
    // oxlint-enable no-await-in-loop
  }
}

/** A message that is not valid is the RPC error that gRPC makes of it, Internal. */
export function decodeAnswer<Response>(
  outcome: CallOutcome,
  decode: (message: Uint8Array) => Response,
): CallAnswer<Response> {
  if (outcome.kind !== "answered") return outcome;
  try {
    return { kind: "answered", response: decode(outcome.message) };
  } catch (error) {
    const details = `the answer is no valid message: ${errorText(error)}`;
    return { kind: "status", code: StatusCode.internal, details };
  }
}

function statusCodeOf(answer: CallAnswer<unknown>): number {
  switch (answer.kind) {
    case "answered":
      return StatusCode.ok;
    case "status":
    case "notGrpc":
      return answer.code;
    case "unreadable":
      return StatusCode.internal;
    case "closed":
      return StatusCode.unavailable;
    case "timeout":
      return StatusCode.deadlineExceeded;
  }
  return answer satisfies never;
}
