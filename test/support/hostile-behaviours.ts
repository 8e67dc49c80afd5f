import type { Socket } from "node:net";
import { ANY_STREAM, GOAWAY_ANSWERS } from "./goaway-answers";
import type { Answer } from "./grpc-answers";
import { HEADER_ANSWERS } from "./header-answers";
import { HOSTILE_ANSWERS, flood, repeat } from "./hostile-answers";
import { ERROR, FLAG, FRAME, SETTING, frame, goaway, settings } from "./http2-frames";
import { type Http2Peer, http2Peer } from "./http2-peer";
import { LIMIT_ANSWERS } from "./limit-answers";
import { MESSAGE_ANSWERS } from "./message-answers";

/** What a driver does with a connection from its accept on. */
export type Behaviour = (socket: Socket) => void;

export type HostileName = keyof typeof HOSTILE;

export type BehaviourName = keyof typeof BEHAVIOURS;

/** Bytes that are neither HTTP nor TLS, with some that no text has. */
const GARBAGE = Buffer.from("\u0000\u00ff\u001b[2Jnot a driver\r\n\u00de\u00ad\u00be\u00ef", "latin1");

/** A fatal alert, `unexpected_message`, which is what a TLS server says to an HTTP/2 preface (RFC 8446, section 6). */
const TLS_ALERT = Buffer.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a);

const READY = HOSTILE_ANSWERS["answers ready (right)"];

/** WINDOW_UPDATEs of the connection (RFC 9113, section 6.9). */
const WIDER_BY_1 = frame(FRAME.WINDOW_UPDATE, FLAG.NONE, 0, Buffer.of(0, 0, 0, 1));
const TOO_WIDE = frame(FRAME.WINDOW_UPDATE, FLAG.NONE, 0, Buffer.of(0x7f, 0xff, 0xff, 0xff));

/**
 * Bad drivers, by what they do; those of HOSTILE_ANSWERS speak HTTP/2 well until a request has arrived.
 * They answer every method as if it were Probe: to GetPluginInfo, "ready" is a name of two control characters.
 */
export const HOSTILE = {
  "accepts and never answers": (socket) => void socket.resume(),
  "accepts and closes at once": (socket) => void socket.resume().end(),
  "accepts and drops the connection": (socket) => void socket.destroy(),
  "speaks HTTP/1.1": (socket) =>
    void socket.once("data", () =>
      socket.end("HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n400 Bad Request"),
    ),
  "speaks TLS": (socket) => void socket.once("data", () => socket.end(TLS_ALERT)),
  "sends garbage": (socket) => void socket.resume().write(GARBAGE),
  "sends garbage without end": (socket) => flood({ socket: socket.resume() }, repeat(GARBAGE)),
  "greets first, as SSH does": (socket) => void socket.resume().write("SSH-2.0-OpenSSH_9.9\r\n"),

  "closes after SETTINGS": (socket) => void socket.resume().end(settings()),
  "sends GOAWAY after SETTINGS": http2((peer) => peer.write(goaway(0, ERROR.NO_ERROR))),
  "sends GOAWAY after SETTINGS and closes": (socket) =>
    void socket.resume().end(Buffer.concat([settings(), goaway(0, ERROR.NO_ERROR)])),
  "sends SETTINGS that are forbidden": (socket) => void socket.resume().write(settings([SETTING.ENABLE_PUSH, 2])),
  "sends SETTINGS that allow no streams": http2(() => {}, settings([SETTING.MAX_CONCURRENT_STREAMS, 0])),
  "sends SETTINGS that allow no bytes": http2(() => {}, settings([SETTING.INITIAL_WINDOW_SIZE, 0])),
  "sends half of its SETTINGS": (socket) => void socket.resume().write(settings().subarray(0, 5)),
  "declares a frame of 16 MB": http2((peer) => peer.write(Buffer.of(0xff, 0xff, 0xff, FRAME.DATA, 0, 0, 0, 0, 1))),
  "floods with PINGs": http2((peer) => flood(peer, repeat(frame(FRAME.PING, FLAG.NONE, 0, Buffer.alloc(8))))),
  "floods with SETTINGS": http2((peer) => flood(peer, repeat(settings()))),

  ...mapAnswers(HOSTILE_ANSWERS),
} as const satisfies Record<string, Behaviour>;

/** The same, and drivers that are odd rather than hostile: what becomes of one probe is all there is to see. */
export const BEHAVIOURS = {
  ...HOSTILE,
  "sends a graceful GOAWAY after SETTINGS": (socket) =>
    void socket.resume().write(Buffer.concat([settings(), goaway(ANY_STREAM, ERROR.NO_ERROR)])),
  "answers ready after SETTINGS that allow no headers": serve(READY, settings([SETTING.MAX_HEADER_LIST_SIZE, 0])),
  "answers ready after SETTINGS of frames too small (right)": serve(READY, settings([SETTING.MAX_FRAME_SIZE, 100])),
  "answers ready after WINDOW_UPDATE and SETTINGS": serve(READY, Buffer.concat([WIDER_BY_1, settings()])),
  "answers ready after a window of over 2 GiB (right)": serve(READY, Buffer.concat([settings(), TOO_WIDE])),
  ...mapAnswers(GOAWAY_ANSWERS),
  ...mapAnswers(HEADER_ANSWERS),
  ...mapAnswers(LIMIT_ANSWERS),
  ...mapAnswers(MESSAGE_ANSWERS),
} as const satisfies Record<string, Behaviour>;

/** An HTTP/2 server that sends its SETTINGS, does what is asked, and answers no request. */
function http2(greet: (peer: Http2Peer) => void, greeting = settings()): Behaviour {
  return (socket) => {
    socket.write(greeting);
    greet(http2Peer(socket, () => {}));
  };
}

function mapAnswers<Name extends string>(answers: Readonly<Record<Name, Answer>>): Record<Name, Behaviour> {
  const entries = Object.entries<Answer>(answers).map(([name, answer]): [string, Behaviour] => [name, serve(answer)]);
  // Object.fromEntries forgets which names went in.
  return Object.fromEntries(entries) as Record<Name, Behaviour>;
}

/** An HTTP/2 server that gives each request the same answer, after what it sends first. */
export function serve(answer: Answer, greeting: Uint8Array = settings()): Behaviour {
  return (socket) => {
    socket.write(greeting);
    const peer = http2Peer(socket, (streamId) => void answer(peer, streamId));
  };
}
