import type { Unreadable } from "./connection";
import type { HeaderBlock } from "./headers";
import { statusOfHttp, StatusCode } from "./status";

/** What a unary call came to. */
export type CallOutcome =
  /** Status OK and one message. */
  { readonly kind: "answered"; readonly message: Uint8Array } | Unanswered;

/** Why a call has no answer. */
export type Unanswered =
  /** An RPC error: the driver's own status, or what gRPC makes of an answer that breaks its rules. */
  | ({ readonly kind: "status"; readonly code: number; readonly details: string } & Unprocessed)
  /** An HTTP/2 server that is no gRPC server. `code` is what gRPC makes of the HTTP status. */
  | NotGrpc
  | Unreadable
  /**
   * The connection was lost before the answer was complete, or the driver said with GOAWAY that it takes no such call.
   */
  | ({ readonly kind: "closed" } & Unprocessed)
  /** No complete answer before the deadline. */
  | { readonly kind: "timeout" };

interface Unprocessed {
  /** The driver has not looked at the call, so it may be made once more (RFC 9113, section 8.7). */
  readonly unprocessed?: true;
}

export interface NotGrpc {
  readonly kind: "notGrpc";
  readonly code: number;
  readonly httpStatus: number | undefined;
  readonly contentType: string | undefined;
}

/** What has come of an answer so far. */
export interface ReceivedAnswer {
  /** The headers that begin it. */
  first: HeaderBlock | undefined;
  /** The headers that end it. */
  last: HeaderBlock | undefined;
  /** The first message, with its prefix. */
  message: Uint8Array | undefined;
  /** Of its body so far. */
  bytes: number;
  lost: boolean;
}

/** The status that grpc-js ends a call with. */
export interface EndStatus {
  readonly code: number;
  readonly details: string;
}

/**
 * What an answer comes to when its call has ended. The headers decide, as in grpc-go: the content-type before all.
 *
 * @param unreadable why our HTTP/2 library ended the call, if it did
 */
export function outcomeOf(answer: ReceivedAnswer, unreadable: Unreadable | undefined, end: EndStatus): CallOutcome {
  const { first, last, lost } = answer;
  if (first !== undefined && !first.isGrpc) return notGrpc(first);
  for (const status of [first?.status, last?.status]) {
    if (status?.kind === "malformed") return unknown(`malformed grpc-status "${status.header}"`);
  }
  if (last?.status.kind === "given") {
    const { code, message: details } = last.status;
    if (code !== StatusCode.ok) return { kind: "status", code, details };
    if (end.code === StatusCode.ok) return messageOf(answer);
    // grpc-js has replaced a status OK: it could not use the answer.
  } else if (first?.httpStatus !== undefined && first.httpStatus !== 200) {
    return notGrpc(first);
  }
  if (unreadable !== undefined) return unreadable;
  if (lost) return { kind: "closed" };
  if (last?.status.kind === "absent") return unknown("the answer ends without grpc-status");
  return { kind: "status", code: end.code, details: end.details };
}

function notGrpc({ httpStatus, contentType }: HeaderBlock): CallOutcome {
  return { kind: "notGrpc", code: statusOfHttp(httpStatus), httpStatus, contentType };
}

/** gRPC over HTTP/2, "Length-Prefixed-Message": a flag and four bytes of length. */
const PREFIX_BYTES = 5;

function messageOf({ message, bytes }: ReceivedAnswer): CallOutcome {
  if (message === undefined) return internal("status OK without a message");
  if (message[0] !== 0) return internal("a compressed message, which was not asked for");
  if (bytes > message.length) return internal("half a message after the first");
  return { kind: "answered", message: message.subarray(PREFIX_BYTES) };
}

function unknown(details: string): CallOutcome {
  return { kind: "status", code: StatusCode.unknown, details };
}

function internal(details: string): CallOutcome {
  return { kind: "status", code: StatusCode.internal, details };
}
