import * as fc from "fast-check";
import { callOnce } from "../../src/driver/client";
import { PROBE } from "../../src/driver/messages";
import { serve } from "../../test/support/hostile-behaviours";
import { startScriptedDriver } from "../../test/support/hostile-driver";
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
} from "../../test/support/http2-frames";
import { grpcJsOracle, type Oracle, startGoOracle } from "../../test/support/oracles";
import { ownSockets } from "../../test/support/own-fds";
import { PROBE_RESPONSE } from "../../test/support/probe-messages";
import { waitUntil } from "../../test/support/wait";
import { AGREES, createTarget, type Judge, same, wantedBecause, type Verdict } from "../target";

/** A frame of an answer; one that ends the stream follows the last. */
type Piece =
  | { readonly kind: "headers"; readonly fields: Fields }
  | { readonly kind: "data"; readonly bytes: Buffer }
  | { readonly kind: "ping" | "settings" | "goaway" | "window" }
  | { readonly kind: "reset"; readonly code: number };

interface ScriptedAnswer {
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

const inputs: fc.Arbitrary<ScriptedAnswer> = fc.record({
  pieces: fc
    .tuple(
      fc.tuple(usually, first),
      fc.array(fc.oneof({ weight: 5, arbitrary: data }, { weight: 1, arbitrary: between }), { maxLength: 3 }),
    )
    .map(([[isThere, start], rest]) => (isThere ? [start, ...rest] : rest)),
  trailers: fieldsWith("grpc-status", "grpc-message"),
});

/** Ends what ends by the timeout alone, with one of the clients. */
const TIMEOUT_MS = 60_000;

type State = "ready" | "not ready" | "failed";

export const grpcAnswers = createTarget({
  name: "grpc-answers",
  against: "the stock clients of grpc-go and grpc-js: is the driver ready, not ready or failed",
  weight: 4,
  inputs,
  batchSize: 50,
  open,
});

async function open(): Promise<Judge<ScriptedAnswer>> {
  const go = await startGoOracle();
  if (go === undefined) throw new Error("there is no Go");
  const js = grpcJsOracle();
  return {
    judge: async (answers) => {
      const sockets = ownSockets();
      const verdicts = await Promise.all(answers.map((answer) => compareAll(answer, go, js)));
      // Each client, and each driver, has closed what it opened.
      await waitUntil(() => ownSockets() <= sockets, "sockets to be closed");
      return verdicts;
    },
    [Symbol.asyncDispose]: () => go[Symbol.asyncDispose](),
  };
}

async function compareAll(answer: ScriptedAnswer, go: Oracle, js: Oracle): Promise<Verdict> {
  await using driver = await startScriptedDriver(
    serve(({ write, socket }, id) => {
      write(encode(answer, id));
      socket.end();
    }),
  );
  const [ours, fromGo, fromJs] = await Promise.all([
    probeOurselves(driver.socketPath),
    stateOf(go, driver.socketPath),
    stateOf(js, driver.socketPath),
  ]);
  if (ours !== fromGo) return reasonFor(answer, FROM_GO) ?? same({ ours }, { "grpc-go": fromGo, "grpc-js": fromJs });
  if (ours !== fromJs) return reasonFor(answer, FROM_JS) ?? same({ ours, "grpc-go": fromGo }, { "grpc-js": fromJs });
  return AGREES;
}

async function probeOurselves(socketPath: string): Promise<State> {
  const { outcome } = await callOnce({ socketPath, timeoutMs: TIMEOUT_MS, retryConnect: true }, PROBE);
  if (outcome.kind !== "answered") return "failed";
  return outcome.response.ready ? "ready" : "not ready";
}

async function stateOf(oracle: Oracle, socketPath: string): Promise<State> {
  const { code, ready } = await oracle.probe(socketPath, TIMEOUT_MS);
  if (code !== "OK") return "failed";
  return ready ? "ready" : "not ready";
}

function encode({ pieces, trailers }: ScriptedAnswer, id: number): Buffer {
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

type Rule = readonly [reason: string, holds: (answer: ScriptedAnswer) => boolean];

const FROM_GO: readonly Rule[] = [
  ["of a repeated grpc-status grpc-go takes the last one", (answer) => valuesOf(answer, "grpc-status").length > 1],
  [
    "the HTTP/2 library takes a status of three digits alone",
    (answer) => !valuesOf(answer, ":status").every((text) => /^[1-9]\d\d$/.test(text)),
  ],
];

const FROM_JS: readonly Rule[] = [
  ["grpc-js does not look at the content-type", (answer) => !isGrpc(answer)],
  ["grpc-js reads grpc-status with JavaScript's Number", (answer) => !valuesOf(answer, "grpc-status").every(isPlain)],
  ["grpc-js drops what is no whole message", ({ pieces }) => !isWhole(bodyOf(pieces))],
];

function valuesOf({ pieces, trailers }: ScriptedAnswer, name: string): readonly string[] {
  const blocks = [...pieces.flatMap((piece) => (piece.kind === "headers" ? [piece.fields] : [])), trailers];
  return blocks.flat().flatMap(([each, text]) => (each === name ? [text] : []));
}

/** By the headers that come first, which may be the trailers. */
function isGrpc({ pieces, trailers }: ScriptedAnswer): boolean {
  const block = pieces.find((piece) => piece.kind === "headers")?.fields ?? trailers;
  const types = valuesOf({ pieces: [], trailers: block }, "content-type");
  return types.length > 0 && types.every((type) => /^application\/grpc(?:$|[+;])/.test(type));
}

function isPlain(status: string): boolean {
  return /^\d+$/.test(status) && Number(status) < 2 ** 31;
}

function bodyOf(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(pieces.flatMap((piece) => (piece.kind === "data" ? [piece.bytes] : [])));
}

/** Whether it is messages without anything behind them. */
function isWhole(body: Buffer): boolean {
  if (body.length === 0) return true;
  if (body.length < 5) return false;
  const end = 5 + body.readUInt32BE(1);
  return end <= body.length && isWhole(body.subarray(end));
}

function reasonFor(answer: ScriptedAnswer, rules: readonly Rule[]): Verdict | undefined {
  const [reason] = rules.find(([, holds]) => holds(answer)) ?? [];
  return reason === undefined ? undefined : wantedBecause(reason);
}
