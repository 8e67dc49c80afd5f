import { startDeadline, type Deadline } from "../base/deadline";
import type { ProbeTiming } from "./probe-result";
import { callOrRepeat, decodeAnswer } from "../grpc/call";
import type { CallOutcome } from "../grpc/call-outcome";
import { openConnection, type ConnectFailure, type ConnectOutcome, type Connection } from "../grpc/connection";
import { decodePluginInfo, decodeProbeResponse, type PluginInfo, type ProbeResponse } from "./messages";
import { explainRefusal } from "../grpc/refusal";
import { StatusCode } from "../grpc/status";

/** What an RPC came to, over the whole way from connect(2) to the last byte of the answer. */
export type RpcOutcome<Response> =
  | { readonly kind: "answered"; readonly response: Response }
  | { readonly kind: "noConnection"; readonly failure: ConnectFailure }
  | { readonly kind: "noAnswer"; readonly outcome: Exclude<CallOutcome, { readonly kind: "answered" }> };

export interface Rpc<Response> {
  readonly outcome: RpcOutcome<Response>;
  readonly timing: ProbeTiming;
}

/** The RPCs of `csi.v1.Identity`. Each is a connection of its own, closed when the promise resolves, whatever came of it. */
export interface IdentityClient {
  probe(): Promise<Rpc<ProbeResponse>>;
  getPluginInfo(): Promise<Rpc<PluginInfo>>;
}

export interface IdentityOptions {
  readonly socketPath: string;
  /** For connecting and calling together. */
  readonly timeoutMs: number;
  readonly userAgent: string;
  /** Whether a connection that fails is tried again until the deadline, as by default. */
  readonly attempts?: "untilDeadline" | "one";
}

export const PROBE_METHOD = "/csi.v1.Identity/Probe";
export const GET_PLUGIN_INFO_METHOD = "/csi.v1.Identity/GetPluginInfo";

/**
 * A client of the driver that listens on a unix socket. Whatever a driver does is an outcome; only a fault of ours rejects.
 *
 * A connection that fails is tried again until the deadline, as the Go sidecar does, so that a driver which comes up
 * meanwhile is not missed, unless `attempts` is `one`, for somebody who asks now. An RPC that has started is not repeated, but
 * one that the driver refused without looking at it is made once more, over another connection, as every gRPC client does.
 */
export function createIdentityClient(options: IdentityOptions): IdentityClient {
  return {
    probe: () => call(options, PROBE_METHOD, decodeProbeResponse),
    getPluginInfo: () => call(options, GET_PLUGIN_INFO_METHOD, decodePluginInfo),
  };
}

// A failed connect(2) costs a driver nothing, so it is tried often; a connection that the driver closed or that made no sense
// is tried again after a second, as the Go sidecar does.
const REFUSED_PAUSE_MS = 100;
const FAILED_PAUSE_MS = 1_000;

async function call<Response>(
  options: IdentityOptions,
  method: string,
  decode: (message: Uint8Array) => Response,
): Promise<Rpc<Response>> {
  const deadline = startDeadline(options.timeoutMs);
  let connection: Connection | undefined;
  try {
    const connect = options.attempts === "one" ? connectOnce : connectUntil;
    const connected = await connect(options.socketPath, deadline);
    if (connected.kind !== "connected") {
      return { outcome: { kind: "noConnection", failure: connected }, timing: { elapsedMs: deadline.elapsedMs() } };
    }
    connection = connected.connection;
    const connectMs = deadline.elapsedMs();
    const called = await callOrRepeat(connection, { ...options, method, deadline });
    connection = called.connection;
    const outcome = decodeAnswer(called.outcome, decode);
    const elapsedMs = deadline.elapsedMs();
    const rpc = { durationMs: elapsedMs - connectMs, statusCode: statusCodeOf(outcome) };
    return { outcome, timing: { elapsedMs, connectMs, rpc } };
  } finally {
    connection?.close();
    deadline.clear();
  }
}

async function connectOnce(path: string, deadline: Deadline): Promise<ConnectOutcome> {
  return explainRefusal(await openConnection(path, deadline), path);
}

async function connectUntil(path: string, deadline: Deadline): Promise<ConnectOutcome> {
  let pauseMs = REFUSED_PAUSE_MS;
  for (;;) {
    const attempted = await openConnection(path, deadline);
    if (attempted.kind === "connected") return attempted;
    const waitMs = attempted.kind === "refused" ? pauseMs : FAILED_PAUSE_MS;
    const isLast = deadline.remainingMs() <= waitMs;
    // At once, before a driver can have come up meanwhile.
    const outcome = isLast ? await explainRefusal(attempted, path) : attempted;
    await deadline.sleep(waitMs);
    if (isLast || deadline.remainingMs() === 0) return outcome;
    pauseMs = Math.min(2 * pauseMs, FAILED_PAUSE_MS);
  }
}

function statusCodeOf(outcome: RpcOutcome<unknown>): number {
  if (outcome.kind !== "noAnswer") return StatusCode.ok;
  switch (outcome.outcome.kind) {
    case "status":
    case "notGrpc":
      return outcome.outcome.code;
    case "unreadable":
      return StatusCode.internal;
    case "closed":
      return StatusCode.unavailable;
    case "timeout":
      return StatusCode.deadlineExceeded;
  }
  return outcome.outcome satisfies never;
}
