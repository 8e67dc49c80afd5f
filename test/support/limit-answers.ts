import { type Answer, GRPC_HEADERS, READY, STATUS_OK, answer, trailersOnly } from "./grpc-answers";
import { ERROR, FLAG, FRAME, type Fields, frame, headers, reset, settings } from "./http2-frames";
import { repeat } from "./hostile-answers";

/** A ready driver that says far more than it has to, but no more than grpc-go takes. */
export const LIMIT_ANSWERS = {
  "answers ready after 5,000 PINGs (right)": after(repeat(frame(FRAME.PING, FLAG.NONE, 0, Buffer.alloc(8)), 5_000)),
  "answers ready after 5,000 SETTINGS (right)": after(repeat(settings(), 5_000)),
  "answers ready after 5,000 WINDOW_UPDATEs (right)": after(
    repeat(frame(FRAME.WINDOW_UPDATE, FLAG.NONE, 0, Buffer.of(0, 0, 0, 1)), 5_000),
  ),
  "answers ready after 5,000 empty DATA (right)": async (peer, id) => {
    peer.write(Buffer.concat([headers(id, GRPC_HEADERS), repeat(frame(FRAME.DATA, FLAG.NONE, id), 5_000)]));
    await peer.writeData(id, READY);
    peer.write(headers(id, STATUS_OK, FLAG.END_STREAM));
  },
  "answers ready after 500 header fields (right)": answer({ headers: [...GRPC_HEADERS, ...fields(500, 10)] }),
  "answers ready before 500 trailer fields (right)": answer({ trailers: [...STATUS_OK, ...fields(500, 10)] }),
  "answers ready after 70 KB of headers (right)": answer({ headers: [...GRPC_HEADERS, ...fields(70, 1_000)] }),
  "answers ready after a header of 70 KB (right)": answer({ headers: [...GRPC_HEADERS, ...fields(1, 70_000)] }),
  "answers ready after 1 MB of headers (right)": answer({ headers: [...GRPC_HEADERS, ...fields(1_000, 1_000)] }),
  "answers ready after 125 KB of headers (right)": answer({ headers: [...GRPC_HEADERS, ...fields(120, 1_000)] }),
  "answers a grpc-message of 60 KB": trailersOnly("9", "m".repeat(60_000)),
  "answers a grpc-message of 70 KB": trailersOnly("9", "m".repeat(70_000)),
  "answers a grpc-message of 1 MB": trailersOnly("9", "m".repeat(1_000_000)),
  "answers ready with a connection header (right)": extra("connection", "close"),
  "answers ready with a transfer-encoding header (right)": extra("transfer-encoding", "chunked"),
  "answers ready with a header name in capitals": extra("X-Driver", "header"),
  "answers ready with an empty header name": extra("", "header"),
  "answers ready with a header that holds NUL": extra("x-driver", "a\u0000b"),
  "answers ready with a content-length that is wrong (right)": extra("content-length", "3"),
  "resets the stream with PROTOCOL_ERROR": (peer, id) => peer.write(reset(id, ERROR.PROTOCOL_ERROR)),
  "resets the stream with FLOW_CONTROL_ERROR": (peer, id) => peer.write(reset(id, ERROR.FLOW_CONTROL_ERROR)),
  "resets the stream with ENHANCE_YOUR_CALM": (peer, id) => peer.write(reset(id, ERROR.ENHANCE_YOUR_CALM)),
  "resets the stream with an error code that HTTP/2 has not": (peer, id) => peer.write(reset(id, 99)),
} as const satisfies Record<string, Answer>;

function after(bytes: Uint8Array): Answer {
  return async (peer, id) => {
    peer.write(bytes);
    await answer()(peer, id);
  };
}

function extra(name: string, value: string): Answer {
  return answer({ headers: [...GRPC_HEADERS, [name, value]] });
}

function fields(count: number, bytes: number): Fields {
  return Array.from({ length: count }, (_, index) => [`x-driver-${index}`, "v".repeat(bytes)]);
}
