import * as fc from "fast-check";
import {
  ERROR,
  FLAG,
  FRAME,
  type Fields,
  frame,
  goaway,
  grpcMessage,
  headers,
  reset,
  settings,
} from "../test/support/http2-frames";
import { PROBE_RESPONSE } from "../test/support/probe-messages";

/** A frame of an answer; one that ends the stream follows the last. */
export type Piece =
  | { readonly kind: "headers"; readonly fields: Fields }
  | { readonly kind: "data"; readonly bytes: Buffer }
  | { readonly kind: "ping" | "settings" | "goaway" | "window" }
  | { readonly kind: "reset"; readonly code: number };

export interface ScriptedAnswer {
  readonly pieces: readonly Piece[];
  readonly trailers: Fields;
}

const FIELD_VALUES: Readonly<Record<string, readonly string[]>> = {
  ":status": ["200", "200", "200", "204", "404", "503", "", "abc", "099"],
  "content-type": [
    "application/grpc",
    "application/grpc",
    "application/grpc+proto",
    "application/grpc;x",
    "application/grpcx",
    "Application/grpc",
    "text/html",
    "",
  ],
  "grpc-encoding": ["identity", "gzip", ""],
  "grpc-status": [
    "0",
    "0",
    "0",
    "00",
    "+0",
    "-0",
    "13",
    "14",
    "-1",
    "abc",
    "",
    " 0",
    "0 ",
    "0x0",
    "4294967296",
    "2147483648",
    "٠",
  ],
  "grpc-message": ["m13", "a%20b", "%", "%ff", "%E2%82%AC", "caf\u00c3\u00a9", "\u00e9", ""],
  "content-length": ["7", "0", "9"],
  x: ["", "a".repeat(300)],
};

const fieldOf = (name: string) => fc.constantFrom(...(FIELD_VALUES[name] ?? [])).map((value) => [name, value] as const);
const anyField = fc.constantFrom(...Object.keys(FIELD_VALUES)).chain(fieldOf);
const usually = fc.constantFrom(true, true, true, true, true, true, true, true, false);
const fieldsWith = (...names: readonly string[]) =>
  fc
    .tuple(
      fc.tuple(...names.map((name) => fc.tuple(usually, fieldOf(name)))),
      fc.array(anyField, { maxLength: 1 }),
      usually,
    )
    .map(([given, more, isRight]): Fields => [
      ...given.flatMap(([isThere, field]) =>
        isThere ? [isRight ? ([field[0], FIELD_VALUES[field[0]]?.[0] ?? ""] as const) : field] : [],
      ),
      ...(isRight ? [] : more),
    ]);

const READY = grpcMessage(PROBE_RESPONSE.ready);
export const READABLE = Object.values(PROBE_RESPONSE).map((message) => grpcMessage(message));
const bytes = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      READY,
      READY,
      grpcMessage(PROBE_RESPONSE.absent),
      grpcMessage(PROBE_RESPONSE.notReadyEmpty),
      grpcMessage(PROBE_RESPONSE.notReadyWritten),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      grpcMessage(PROBE_RESPONSE.ready, 1),
      READY.subarray(0, 7),
      READY.subarray(0, 3),
      Buffer.concat([READY, Buffer.of(0)]),
      Buffer.concat([READY, READY]),
      Buffer.from("<html>"),
      Buffer.alloc(0),
    ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }).map((content) => grpcMessage(content)) },
);
const between: fc.Arbitrary<Piece> = fc.oneof(
  fc.constantFrom<Piece>({ kind: "ping" }, { kind: "settings" }, { kind: "goaway" }, { kind: "window" }),
  fc.constantFrom(ERROR.NO_ERROR, ERROR.INTERNAL_ERROR, ERROR.CANCEL).map((code): Piece => ({ kind: "reset", code })),
  fieldsWith("grpc-status").map((fields): Piece => ({ kind: "headers", fields })),
);
const data = bytes.map((content): Piece => ({ kind: "data", bytes: content }));
const first = fieldsWith(":status", "content-type").map((fields): Piece => ({ kind: "headers", fields }));

export const scriptedAnswers: fc.Arbitrary<ScriptedAnswer> = fc.record({
  pieces: fc
    .tuple(
      fc.tuple(usually, first),
      fc.array(fc.oneof({ weight: 5, arbitrary: data }, { weight: 1, arbitrary: between }), { maxLength: 3 }),
    )
    .map(([[isThere, start], rest]) => (isThere ? [start, ...rest] : rest)),
  trailers: fieldsWith("grpc-status", "grpc-message"),
});

export function encode({ pieces, trailers }: ScriptedAnswer, id: number): Buffer {
  return Buffer.concat([...pieces.map((piece) => encodePiece(piece, id)), headers(id, trailers, FLAG.END_STREAM)]);
}

function encodePiece(piece: Piece, id: number): Buffer {
  switch (piece.kind) {
    case "headers":
      return headers(id, piece.fields);
    case "data":
      return frame(FRAME.DATA, FLAG.NONE, id, piece.bytes);
    case "ping":
      return frame(FRAME.PING, FLAG.NONE, 0, Buffer.alloc(8));
    case "settings":
      return settings();
    case "goaway":
      return goaway(id, ERROR.NO_ERROR);
    case "window":
      return frame(FRAME.WINDOW_UPDATE, FLAG.NONE, 0, Buffer.of(0, 0, 0, 1));
    case "reset":
      return reset(id, piece.code);
  }
  return piece satisfies never;
}

/** The values of a header, wherever it is. */
export function valuesOf({ pieces, trailers }: ScriptedAnswer, name: string): readonly string[] {
  const blocks = [...pieces.flatMap((piece) => (piece.kind === "headers" ? [piece.fields] : [])), trailers];
  return blocks.flat().flatMap(([each, text]) => (each === name ? [text] : []));
}

export function bodyOf(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(pieces.flatMap((piece) => (piece.kind === "data" ? [piece.bytes] : [])));
}
