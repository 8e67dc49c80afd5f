import { type Answer, GRPC_HEADERS, READY } from "./grpc-answers";
import { ERROR, FLAG, FRAME, type Fields, frame, goaway, grpcMessage, headers, reset, settings } from "./http2-frames";
import { PROBE_RESPONSE } from "./probe-messages";
import { mulberry32 } from "./random-messages";

type Choices<T> = readonly [T, ...T[]];

/** By header, the values that it may have. Those that come more often stand there more often. */
const VALUES = {
  ":status": ["200", "200", "200", "204", "404", "500", "503"],
  "content-type": [
    "application/grpc",
    "application/grpc",
    "application/grpc+proto",
    "application/grpcx",
    "text/html",
    "",
  ],
  "grpc-encoding": ["identity", "gzip"],
  "grpc-status": ["0", "0", "0", "0", "+0", "00", "13", "-1", "abc", "", " 0", "4294967296"],
  "grpc-message": ["m13", "a%20b", "%", "%ff", "caf\u00c3\u00a9", "\u00e9", ""],
} as const satisfies Record<string, Choices<string>>;

const BODIES: Choices<Uint8Array> = [
  READY,
  READY,
  READY,
  grpcMessage(PROBE_RESPONSE.absent),
  grpcMessage(PROBE_RESPONSE.notReadyEmpty),
  grpcMessage(PROBE_RESPONSE.ready, 1),
  READY.subarray(0, 7),
  Buffer.concat([READY, Buffer.of(0)]),
  Buffer.from("<html>"),
  Buffer.alloc(0),
];

/**
 * An answer made up at random of frames that HTTP/2 allows, more or less in the order of a gRPC answer: the same one
 * for the same seed. It always ends the stream.
 */
export function randomAnswer(seed: number): Answer {
  return ({ write }, streamId) => write(Buffer.concat(framesOf(mulberry32(seed), streamId)));
}

function framesOf(random: () => number, id: number): readonly Buffer[] {
  const pick = <T>(choices: Choices<T>): T => choices[Math.floor(random() * choices.length)] ?? choices[0];
  const perhaps = <T>(chance: number, make: () => readonly T[]): readonly T[] => (random() < chance ? make() : []);
  const field = (name: keyof typeof VALUES): Fields => [[name, pick<string>(VALUES[name])]];

  const first = (): Fields => [
    ...field(":status"),
    ...perhaps(0.9, () => field("content-type")),
    ...perhaps(0.1, () => field("grpc-status")),
    ...perhaps(0.1, () => field("grpc-encoding")),
  ];
  const last = (): Fields => [
    ...perhaps(0.95, () => field("grpc-status")),
    ...perhaps(0.3, () => field("grpc-message")),
    ...perhaps(0.1, () => field("content-type")),
  ];
  const body = () => [frame(FRAME.DATA, FLAG.NONE, id, pick(BODIES))];
  const between = () => [
    pick([settings(), frame(FRAME.PING, FLAG.NONE, 0, Buffer.alloc(8)), goaway(id, ERROR.NO_ERROR)]),
  ];
  const end = pick([
    () => headers(id, last(), FLAG.END_STREAM),
    () => headers(id, last(), FLAG.END_STREAM),
    () => headers(id, last(), FLAG.END_STREAM),
    () => frame(FRAME.DATA, FLAG.END_STREAM, id),
    () => reset(id, ERROR.INTERNAL_ERROR),
  ]);

  if (random() < 0.1) return [headers(id, [...GRPC_HEADERS, ...last()], FLAG.END_STREAM)];
  return [
    headers(id, first()),
    ...perhaps(0.2, between),
    ...perhaps(0.9, body),
    ...perhaps(0.1, body),
    ...perhaps(0.1, between),
    end(),
  ];
}
