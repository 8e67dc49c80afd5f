import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
// The one deep import of grpc-js. Its call is what maps HTTP/2 to gRPC's statuses; its channel, resolvers and balancers, which
// are made for connections that last, cost 2.3 MiB at rest, 6 MiB under load and half the CPU of a probe.
import { Http2SubchannelCall } from "@grpc/grpc-js/build/src/subchannel-call";
import type { Transport } from "@grpc/grpc-js/build/src/transport";
import type { Deadline } from "../deadline";
import { errorCode, errorText } from "../errors";
import type { Connection } from "./connection";
import { parseStatusCode, StatusCode } from "./status";

/** What a unary call came to. */
export type CallOutcome =
  /** Status OK and one message. */
  | { readonly kind: "answered"; readonly message: Uint8Array }
  /** An RPC error: the driver's own status, or what gRPC makes of an answer that breaks its rules. */
  | { readonly kind: "status"; readonly code: number; readonly details: string }
  /** An HTTP/2 server that is no gRPC server. */
  | { readonly kind: "notGrpc"; readonly httpStatus: number }
  /** The connection was lost before the answer was complete. */
  | { readonly kind: "closed" }
  /** No complete answer before the deadline. */
  | { readonly kind: "timeout" };

/** An answer with its message read. */
export type DecodedAnswer<Response> =
  | { readonly kind: "answered"; readonly response: Response }
  | { readonly kind: "noAnswer"; readonly outcome: Exclude<CallOutcome, { readonly kind: "answered" }> };

/** Reads an answer's message; one that is not valid is the RPC error that gRPC makes of it, Internal. */
export function decodeAnswer<Response>(
  outcome: CallOutcome,
  decode: (message: Uint8Array) => Response,
): DecodedAnswer<Response> {
  if (outcome.kind !== "answered") return { kind: "noAnswer", outcome };
  try {
    return { kind: "answered", response: decode(outcome.message) };
  } catch (error) {
    const details = `the answer is no valid message: ${errorText(error)}`;
    return { kind: "noAnswer", outcome: { kind: "status", code: StatusCode.internal, details } };
  }
}

/** Larger answers are an RPC error (ResourceExhausted): an Identity response has no use for more, and memory is scarce. */
export const MAX_MESSAGE_BYTES = 65_536;

/**
 * Makes one unary call with an empty request message on a fresh connection.
 *
 * @param method the gRPC path, such as `/csi.v1.Identity/Probe`
 * @param userAgent sent as `user-agent`, which drivers log
 */
export function callUnary(
  connection: Connection,
  method: string,
  userAgent: string,
  deadline: Deadline,
): Promise<CallOutcome> {
  const { promise, resolve } = Promise.withResolvers<CallOutcome>();
  const headers: ResponseHeaders = { httpStatus: undefined, contentType: "", grpcStatus: undefined };
  let message: Uint8Array | undefined;
  let lost = false;

  const stream = openStream(connection, requestHeaders(method, userAgent, deadline));
  if (stream === undefined) return Promise.resolve({ kind: "closed" });
  stream.on("response", (received) => noteHeaders(headers, received));
  stream.on("trailers", (received) => noteHeaders(headers, received));

  const call = new Http2SubchannelCall(
    stream,
    noTracking,
    {
      onReceiveMetadata: ignore,
      onReceiveMessage: (framed: Uint8Array) => {
        if (message !== undefined) return call.cancelWithStatus(StatusCode.internal, "more than one message");
        message = framed;
        // Only the next message, if there is one, tells that the first was not the last.
        return call.startRead();
      },
      onReceiveStatus: (status) => {
        forget();
        const outcome = outcomeOf(headers, status, message, lost);
        resolve(isDeadlinePassing(outcome, deadline) ? { kind: "timeout" } : outcome);
      },
    },
    TRANSPORT,
    0,
  );
  const forget = deadline.onExpiry(() => resolve({ kind: "timeout" }));
  connection.onLost(() => {
    lost = true;
    call.onDisconnect();
  });
  call.sendMessageWithContext({}, EMPTY_REQUEST);
  call.halfClose();
  call.startRead();
  return promise;
}

interface ResponseHeaders {
  httpStatus: number | undefined;
  contentType: string;
  grpcStatus: string | undefined;
}

interface EndStatus {
  readonly code: number;
  readonly details: string;
}

// gRPC over HTTP/2, "Length-Prefixed-Message": not compressed, four bytes of length, no content.
const EMPTY_REQUEST = Buffer.alloc(5);
const PREFIX_BYTES = 5;

// The call asks the transport it belongs to for nothing but these two; a test holds that against the pinned version.
const TRANSPORT = {
  getOptions: () => ({ "grpc.max_receive_message_length": MAX_MESSAGE_BYTES }),
  getPeerName: () => "localhost",
} as Transport;

const noTracking = { addMessageSent: ignore, addMessageReceived: ignore, onStreamEnd: ignore, onCallEnd: ignore };

function ignore(): void {}

function requestHeaders(method: string, userAgent: string, deadline: Deadline): OutgoingHttpHeaders {
  return {
    ":method": "POST",
    ":path": method,
    ":authority": "localhost",
    "content-type": "application/grpc",
    te: "trailers",
    "user-agent": userAgent,
    "grpc-timeout": `${Math.max(1, Math.floor(deadline.remainingMs()))}m`,
  };
}

// node:http2 throws where the connection has ended between its SETTINGS and this call.
function openStream(connection: Connection, headers: OutgoingHttpHeaders): ClientHttp2Stream | undefined {
  try {
    return connection.session.request(headers);
  } catch (error) {
    if (errorCode(error)?.startsWith("ERR_HTTP2_")) return undefined;
    throw error;
  }
}

function noteHeaders(headers: ResponseHeaders, received: IncomingHttpHeaders): void {
  const httpStatus = received[":status"];
  const grpcStatus = received["grpc-status"];
  if (typeof httpStatus === "number") headers.httpStatus = httpStatus;
  if (typeof grpcStatus === "string") headers.grpcStatus = grpcStatus;
  headers.contentType = received["content-type"] ?? headers.contentType;
}

function outcomeOf(
  headers: ResponseHeaders,
  end: EndStatus,
  message: Uint8Array | undefined,
  lost: boolean,
): CallOutcome {
  if (headers.grpcStatus !== undefined) {
    const code = parseStatusCode(headers.grpcStatus);
    if (code !== StatusCode.ok) return { kind: "status", code, details: end.details };
    // A status OK that grpc-js has replaced: it could not use the answer.
    if (end.code !== StatusCode.ok) return { kind: "status", code: end.code, details: end.details };
    return answerOf(message);
  }
  const { httpStatus, contentType } = headers;
  if (httpStatus !== undefined && !(httpStatus === 200 && contentType.startsWith("application/grpc"))) {
    return { kind: "notGrpc", httpStatus };
  }
  if (lost) return { kind: "closed" };
  return { kind: "status", code: end.code, details: end.details };
}

// A driver ends a call at the grpc-timeout it was sent, by its own clock and perhaps a moment before our timer: grpc-go with
// RST_STREAM CANCEL, others with a status. That is our deadline, not something the driver has to say.
const DEADLINE_SKEW_MS = 50;

function isDeadlinePassing(outcome: CallOutcome, deadline: Deadline): boolean {
  if (outcome.kind !== "status" || deadline.remainingMs() > DEADLINE_SKEW_MS) return false;
  return outcome.code === StatusCode.deadlineExceeded || outcome.code === StatusCode.canceled;
}

function answerOf(framed: Uint8Array | undefined): CallOutcome {
  if (framed === undefined) return internal("status OK without a message");
  if (framed[0] !== 0) return internal("a compressed message, which was not asked for");
  return { kind: "answered", message: framed.subarray(PREFIX_BYTES) };
}

function internal(details: string): CallOutcome {
  return { kind: "status", code: StatusCode.internal, details };
}
