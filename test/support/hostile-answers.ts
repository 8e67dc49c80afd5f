import { type Answer, GRPC_HEADERS, READY, answer, answerWithoutEnd, trailersOnly } from "./grpc-answers";
import { ERROR, FLAG, FRAME, frame, grpcMessage, headers, pushPromise, reset } from "./http2-frames";
import type { Http2Peer } from "./http2-peer";
import { PROBE_RESPONSE, paddedReady } from "./probe-messages";

const MIB = 1024 * 1024;

/**
 * Answers to a call, by what is wrong with them. Some are right, at a limit or in a rare form of the right thing:
 * each of those says so.
 */
export const HOSTILE_ANSWERS = {
  "takes the request and never answers": () => {},
  "loses the connection mid-call": (peer) => void peer.socket.destroy(),
  "loses the connection after the message": async (peer, id) => {
    await answerWithoutEnd()(peer, id);
    peer.socket.destroySoon();
  },

  "answers HTTP 404 without grpc-status": httpAnswer("404", "text/plain", "404 page not found\n"),
  "answers HTTP 200 text/html without grpc-status": httpAnswer("200", "text/html", "<h1>It works!</h1>"),
  "answers HTTP 503 with an HTML page": httpAnswer("503", "text/html", "<h1>Unavailable</h1>"),
  "answers application/grpc without grpc-status": answer({ trailers: "none" }),

  "answers grpc-status 99": trailersOnly("99", "made up"),
  "answers grpc-status abc": trailersOnly("abc"),
  "answers grpc-status -1": trailersOnly("-1"),
  "answers an empty grpc-status": trailersOnly(""),
  "answers grpc-status 13 with message m13": trailersOnly("13", "m13"),
  "answers grpc-status 13 after a message": answer({
    trailers: [
      ["grpc-status", "13"],
      ["grpc-message", "m13"],
    ],
  }),
  "answers grpc-status 14 in trailers alone": trailersOnly("14", "unavailable just now"),
  "answers grpc-status 0 in trailers alone": trailersOnly("0"),
  "answers grpc-status 0 without a message": answer({ body: Buffer.alloc(0) }),

  "answers a grpc-message with percent-encoded newlines": trailersOnly("13", "one%0Atwo%0D%0Athree"),
  "answers a grpc-message with ANSI escapes": trailersOnly("13", "%1B[31mred%1B[0m%1B]0;title%07"),
  "answers a grpc-message with raw ANSI escapes": trailersOnly("13", "\u001b[31mred\u001b[0m"),
  "answers a grpc-message with a raw newline": trailersOnly("13", "one\ntwo"),
  "answers a grpc-message with broken percent-encoding": trailersOnly("13", "%zz 100% %"),
  "answers a grpc-message that is not UTF-8": trailersOnly("13", "%FF%FE %C3"),
  "answers a grpc-message with direction overrides": trailersOnly("13", "%E2%80%AEdrawkcab"),
  "answers a grpc-message of 8 KB": trailersOnly("13", "m".repeat(8 * 1024)),
  "answers a grpc-message of 4 MB": trailersOnly("13", "m".repeat(4 * MIB)),

  "answers a compressed message without grpc-encoding": answer({ body: grpcMessage(PROBE_RESPONSE.ready, 1) }),
  "answers two messages": answer({ body: Buffer.concat([READY, READY]) }),
  "answers half a message": answer({ body: READY.subarray(0, 7) }),
  "answers malformed protobuf": answer({ body: grpcMessage(Buffer.of(0x0a, 0x7f, 0x08)) }),
  "answers ready as a string": answer({ body: grpcMessage(Buffer.of(0x0a, 0x03, 0x0a, 0x01, 0x41)) }),
  "answers a message of 65,537 bytes": answer({ body: grpcMessage(paddedReady(65_537)) }),
  "answers a message of 3 MB": answer({ body: grpcMessage(paddedReady(3 * MIB)) }),
  "declares a message of 4 GB": answerWithoutEnd({ body: Buffer.of(0, 0xff, 0xff, 0xff, 0xff, 0x0a) }),

  "answers ready in 65,536 bytes (right)": answer({ body: grpcMessage(paddedReady(65_536)) }),
  "answers ready (right)": answer(),
  "answers without ready (right)": answer({ body: grpcMessage(PROBE_RESPONSE.absent) }),
  "answers not ready by leaving it out (right)": answer({ body: grpcMessage(PROBE_RESPONSE.notReadyEmpty) }),
  "answers not ready in writing (right)": answer({ body: grpcMessage(PROBE_RESPONSE.notReadyWritten) }),

  "resets the stream with INTERNAL_ERROR": (peer, id) => peer.write(reset(id, ERROR.INTERNAL_ERROR)),
  "resets the stream with REFUSED_STREAM": (peer, id) => peer.write(reset(id, ERROR.REFUSED_STREAM)),
  "resets the stream with CANCEL": (peer, id) => peer.write(reset(id, ERROR.CANCEL)),
  "resets the stream with NO_ERROR": (peer, id) => peer.write(reset(id, ERROR.NO_ERROR)),
  "answers the message, then resets the stream": async (peer, id) => {
    await answerWithoutEnd()(peer, id);
    peer.write(reset(id, ERROR.INTERNAL_ERROR));
  },
  "answers ready in full, then resets the stream": async (peer, id) => {
    await answer()(peer, id);
    peer.write(reset(id, ERROR.NO_ERROR));
  },
  "answers the message and never the trailers": answerWithoutEnd(),
  "answers headers and never a message": answerWithoutEnd({ body: Buffer.alloc(0) }),
  "trickles one byte of the answer each 100 ms": trickle,
  "pushes a promise before it answers": async (peer, id) => {
    peer.write(
      pushPromise(id, 2, [
        [":method", "GET"],
        [":scheme", "http"],
        [":authority", "localhost"],
        [":path", "/"],
      ]),
    );
    await answer()(peer, id);
  },
  "never ends its headers": (peer, id) => {
    const field = Buffer.concat([Buffer.of(0, 1), Buffer.from("x"), Buffer.of(100), Buffer.alloc(100, "y")]);
    const block = Buffer.concat(Array.from({ length: 150 }, () => field));
    peer.write(frame(FRAME.HEADERS, FLAG.NONE, id, block));
    flood(peer, frame(FRAME.CONTINUATION, FLAG.NONE, id, block));
  },
  "floods the stream with empty DATA": (peer, id) => {
    peer.write(headers(id, GRPC_HEADERS));
    flood(peer, repeat(frame(FRAME.DATA, FLAG.NONE, id)));
  },
} as const satisfies Record<string, Answer>;

/** Sends the same bytes over and over, as fast as the client takes them, until the connection ends. */
export function flood({ socket }: Pick<Http2Peer, "socket">, bytes: Uint8Array): void {
  // A turn of the event loop between two rounds: the test runs in this process too.
  const pour = (): void => {
    if (!socket.writable) return;
    if (socket.write(bytes)) setImmediate(pour);
    else socket.once("drain", () => setImmediate(pour));
  };
  pour();
}

export function repeat(bytes: Uint8Array, times = 256): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}

function httpAnswer(status: string, type: string, body: string): Answer {
  return async (peer, streamId) => {
    peer.write(
      headers(streamId, [
        [":status", status],
        ["content-type", type],
      ]),
    );
    await peer.writeData(streamId, Buffer.from(body));
    peer.write(frame(FRAME.DATA, FLAG.END_STREAM, streamId));
  };
}

/** A message within the limit that takes more than an hour. */
function trickle(peer: Http2Peer, streamId: number): void {
  const bytes = grpcMessage(paddedReady(60_000));
  let at = 0;
  peer.write(headers(streamId, GRPC_HEADERS));
  const timer = setInterval(() => {
    at += 1;
    void peer.writeData(streamId, bytes.subarray(at - 1, at));
  }, 100);
  peer.socket.once("close", () => clearInterval(timer));
}
