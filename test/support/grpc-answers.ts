import { FLAG, FRAME, type Fields, frame, grpcMessage, headers } from "./http2-frames";
import type { Http2Peer } from "./http2-peer";
import { PROBE_RESPONSE } from "./probe-messages";

/** What becomes of a request that has arrived whole. */
export type Answer = (peer: Http2Peer, streamId: number) => void | Promise<void>;

export const HTTP_OK: Fields = [[":status", "200"]];
export const GRPC_HEADERS: Fields = [...HTTP_OK, ["content-type", "application/grpc"]];
export const STATUS_OK: Fields = [["grpc-status", "0"]];

/** A message that says "ready", with gRPC's prefix. */
export const READY = grpcMessage(PROBE_RESPONSE.ready);

/** The parts of a whole answer that differ from a right one. Without `trailers` DATA ends the stream. */
export interface AnswerParts {
  readonly headers?: Fields;
  readonly body?: Uint8Array;
  readonly trailers?: Fields | "none";
}

/** An answer with headers, a body and trailers: that of a ready driver where nothing else is said. */
export function answer(parts: AnswerParts = {}): Answer {
  const { trailers = STATUS_OK } = parts;
  return async (peer, streamId) => {
    await answerWithoutEnd(parts)(peer, streamId);
    if (trailers === "none") peer.write(frame(FRAME.DATA, FLAG.END_STREAM, streamId));
    else peer.write(headers(streamId, trailers, FLAG.END_STREAM));
  };
}

/** Headers and a body that are never ended. */
export function answerWithoutEnd(parts: Pick<AnswerParts, "headers" | "body"> = {}): Answer {
  const { headers: fields = GRPC_HEADERS, body = READY } = parts;
  return async (peer, streamId) => {
    peer.write(headers(streamId, fields));
    await peer.writeData(streamId, body);
  };
}

/** One HEADERS frame that ends the stream ("Trailers-Only"). */
export function headersOnly(fields: Fields): Answer {
  return (peer, streamId) => peer.write(headers(streamId, fields, FLAG.END_STREAM));
}

/** A status and its message in trailers alone. */
export function trailersOnly(status: string, message?: string): Answer {
  const details: Fields = message === undefined ? [] : [["grpc-message", message]];
  return headersOnly([...GRPC_HEADERS, ["grpc-status", status], ...details]);
}
