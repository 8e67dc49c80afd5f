import { type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from "node:http2";
import { LogVerbosity } from "@grpc/grpc-js/build/src/constants";
import { setLoggerVerbosity } from "@grpc/grpc-js/build/src/logging";
// The deep imports of grpc-js are all in this file. Its call is what maps HTTP/2 to gRPC's statuses; its channel,
// resolvers and balancers, which are made for connections that last, cost 2.3 MiB at rest, 6 MiB under load and half
// the CPU of a probe.
import { Http2SubchannelCall } from "@grpc/grpc-js/build/src/subchannel-call";
import type { Transport } from "@grpc/grpc-js/build/src/transport";
import type { Deadline } from "../base/deadline";
import { outcomeOf, type CallOutcome, type EndStatus, type ReceivedAnswer } from "./call-outcome";
import type { Connection, Unreadable } from "./connection";
import { formatGrpcTimeout, readHeaderBlock } from "./headers";
import { StatusCode } from "./status";
import { VERSION } from "../version";

/**
 * Larger answers are an RPC error (ResourceExhausted): an Identity response has no use for more, and memory is scarce.
 */
export const MAX_MESSAGE_BYTES = 65_536;

/**
 * Makes one unary call with an empty request message on a fresh connection.
 *
 * @param method the gRPC path, such as `/csi.v1.Identity/Probe`
 */
export function callUnary(connection: Connection, method: string, deadline: Deadline): Promise<CallOutcome> {
  const stream = openStream(connection, requestHeaders(method, deadline));
  if (stream === undefined) return Promise.resolve(connection.refusal() ?? { kind: "closed", unprocessed: true });
  const { promise, resolve } = Promise.withResolvers<CallOutcome>();
  const answer: ReceivedAnswer = { first: undefined, last: undefined, message: undefined, bytes: 0, lost: false };

  // Our listeners come before those of the call, so that they see the headers first.
  stream.on("response", (_, flags, raw) => {
    answer.first = readHeaderBlock(raw);
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) answer.last = answer.first;
    // Nothing after such headers makes a gRPC answer, and the body is not for gRPC's decoder.
    if (!answer.first.isGrpc) call.cancelWithStatus(StatusCode.unknown, "");
  });
  stream.on("trailers", (_, _flags, raw) => {
    answer.last = readHeaderBlock(raw);
  });
  stream.on("data", (chunk: Uint8Array) => (answer.bytes += chunk.length));
  const listener = {
    onReceiveMetadata: ignore,
    onReceiveMessage: (framed: Uint8Array) => {
      if (answer.message !== undefined) return call.cancelWithStatus(StatusCode.internal, "more than one message");
      answer.message = framed;
      // Only the next message, if there is one, tells that the first was not the last.
      return call.startRead();
    },
    onReceiveStatus: (end: EndStatus) => {
      const outcome = markUnprocessed(outcomeOf(answer, connection.refusal() ?? resetOf(stream), end), stream);
      resolve(isDeadlinePassing(outcome, deadline) ? { kind: "timeout" } : outcome);
    },
  };
  const call = new Http2SubchannelCall(stream, noTracking, listener, TRANSPORT, 0);
  deadline.onExpiry(() => resolve({ kind: "timeout" }));
  connection.onLost(() => {
    answer.lost = true;
    call.onDisconnect();
  }, stream);
  // The call would send the message and the end of the stream as two frames, which costs a system call more.
  stream.end(EMPTY_REQUEST);
  call.startRead();
  return promise;
}

// It prints what it does not like in a driver's headers, as it is, to the standard error that our log is on.
setLoggerVerbosity(LogVerbosity.NONE);

// gRPC over HTTP/2, "Length-Prefixed-Message": not compressed, four bytes of length, no content.
const EMPTY_REQUEST = Buffer.alloc(5);

// The call asks the transport it belongs to for nothing but these two; a test holds that against the pinned version.
const TRANSPORT = {
  getOptions: () => ({ "grpc.max_receive_message_length": MAX_MESSAGE_BYTES }),
  getPeerName: () => "localhost",
} as Transport;

const noTracking = { addMessageSent: ignore, addMessageReceived: ignore, onStreamEnd: ignore, onCallEnd: ignore };

function ignore(): void {}

function requestHeaders(method: string, deadline: Deadline): OutgoingHttpHeaders {
  return {
    ":method": "POST",
    ":path": method,
    ":authority": "localhost",
    "content-type": "application/grpc",
    te: "trailers",
    // Drivers log it.
    "user-agent": `livenessprobe/${VERSION}`,
    "grpc-timeout": formatGrpcTimeout(deadline.remainingMs()),
  };
}

/** Undefined where the connection has ended, or the driver has said with GOAWAY that it takes no new call on it. */
function openStream({ session }: Connection, headers: OutgoingHttpHeaders): ClientHttp2Stream | undefined {
  // node:http2 would throw for some of these, and return a stream that fails later for others.
  return session.closed || session.destroyed ? undefined : session.request(headers);
}

// The driver may have reset the stream so itself, but it is how the library answers headers that break HTTP/2.
function resetOf(stream: ClientHttp2Stream): Unreadable | undefined {
  if (stream.rstCode !== constants.NGHTTP2_PROTOCOL_ERROR) return undefined;
  return { kind: "unreadable", cause: "rule", details: "the stream ended with PROTOCOL_ERROR" };
}

// A GOAWAY below the stream counts as this reset too.
function markUnprocessed(outcome: CallOutcome, stream: ClientHttp2Stream): CallOutcome {
  if (stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM) return outcome;
  return outcome.kind === "status" || outcome.kind === "closed" ? { ...outcome, unprocessed: true } : outcome;
}

// A driver ends a call at the grpc-timeout it was sent, by its own clock and perhaps a moment before our timer: grpc-go
// with RST_STREAM CANCEL, others with a status. That is our deadline, not something the driver has to say.
const DEADLINE_SKEW_MS = 50;

function isDeadlinePassing(outcome: CallOutcome, deadline: Deadline): boolean {
  if (outcome.kind !== "status" || deadline.timeoutMs - deadline.elapsedMs() > DEADLINE_SKEW_MS) return false;
  return outcome.code === StatusCode.deadlineExceeded || outcome.code === StatusCode.canceled;
}
