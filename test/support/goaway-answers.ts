import { type Answer, GRPC_HEADERS, STATUS_OK, answer, answerWithoutEnd } from "./grpc-answers";
import { ERROR, FLAG, goaway, headers } from "./http2-frames";

/**
 * The last stream id of a GOAWAY that rejects nothing yet: what a server says before it knows (RFC 9113, section 6.8).
 */
export const ANY_STREAM = 2 ** 31 - 1;

/** Drivers that shut down, by how they say so once a request has arrived. They wait until the client knows. */
export const GOAWAY_ANSWERS = {
  "sends a graceful GOAWAY, then answers ready (right)": after([ANY_STREAM]),
  "sends GOAWAY up to our stream, then answers ready (right)": after(["ours"]),
  "sends GOAWAY twice, as grpc-go does, then answers ready (right)": after([ANY_STREAM, "ours"]),
  "sends GOAWAY up to our stream, answers ready and closes (right)": async (peer, id) => {
    await after(["ours"])(peer, id);
    peer.socket.end();
  },
  "sends GOAWAY in the middle of a ready answer (right)": async (peer, id) => {
    await answerWithoutEnd({ headers: GRPC_HEADERS })(peer, id);
    peer.write(goaway(id, ERROR.NO_ERROR));
    await peer.ping();
    peer.write(headers(id, STATUS_OK, FLAG.END_STREAM));
  },
  "sends a graceful GOAWAY and never answers": (peer) => peer.write(goaway(ANY_STREAM, ERROR.NO_ERROR)),
  "sends a graceful GOAWAY and closes": (peer) => void peer.socket.end(goaway(ANY_STREAM, ERROR.NO_ERROR)),
  "sends GOAWAY below our stream": (peer) => peer.write(goaway(0, ERROR.NO_ERROR)),
  "sends GOAWAY twice, the second below our stream": async (peer) => {
    peer.write(goaway(ANY_STREAM, ERROR.NO_ERROR));
    await peer.ping();
    peer.write(goaway(0, ERROR.NO_ERROR));
  },
  "sends GOAWAY with an error, then answers ready": async (peer, id) => {
    peer.write(goaway(id, ERROR.INTERNAL_ERROR));
    await answer()(peer, id);
  },
} as const satisfies Record<string, Answer>;

/** GOAWAYs with these last stream ids, and then the answer of a ready driver. */
function after(lastStreamIds: readonly (number | "ours")[]): Answer {
  return async (peer, id) => {
    for (const last of lastStreamIds) peer.write(goaway(last === "ours" ? id : last, ERROR.NO_ERROR));
    await peer.ping();
    await answer()(peer, id);
  };
}
