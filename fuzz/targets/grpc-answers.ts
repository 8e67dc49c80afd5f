import { callOnce } from "../../src/driver/client";
import { PROBE } from "../../src/driver/messages";
import { statusName } from "../../src/grpc/status";
import { serve } from "../../test/support/hostile-behaviours";
import { startScriptedDriver } from "../../test/support/hostile-driver";
import { grpcJsOracle, type Oracle, type OracleAnswer, startGoOracle } from "../../test/support/oracles";
import { ownSockets } from "../../test/support/own-fds";
import { waitUntil } from "../../test/support/wait";
import { bodyOf, encode, READABLE, type ScriptedAnswer, scriptedAnswers, valuesOf } from "../scripted-answers";
import { AGREES, createTarget, type Judge, same, wantedBecause, type Verdict } from "../target";

/** Ends what ends by the timeout alone, with one of the clients. */
const TIMEOUT_MS = 60_000;

export const grpcAnswers = createTarget({
  name: "grpc-answers",
  against: "the stock clients of grpc-go and grpc-js: readiness, and the status where the driver sends one",
  weight: 4,
  inputs: scriptedAnswers,
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
    go.probe(driver.socketPath, TIMEOUT_MS),
    js.probe(driver.socketPath, TIMEOUT_MS),
  ]);
  const [ourState, goState, jsState] = [ours, fromGo, fromJs].map(stateOf);
  if (ourState !== goState) return reasonFor(answer, FROM_GO) ?? same({ ours }, { fromGo, fromJs });
  if (ourState !== jsState) return reasonFor(answer, FROM_JS) ?? same({ ours, fromGo }, { fromJs });
  // Of what is no proper answer each client has its own opinion.
  return hasOneStatus(answer) ? same(ours, { ...fromGo, ready: false }) : AGREES;
}

async function probeOurselves(socketPath: string): Promise<OracleAnswer> {
  const { outcome } = await callOnce({ socketPath, timeoutMs: TIMEOUT_MS, retryConnect: true }, PROBE);
  if (outcome.kind === "answered") return { code: "OK", message: "", ready: outcome.response.ready };
  if (outcome.kind === "status") return { code: statusName(outcome.code), message: outcome.details, ready: false };
  return { code: "none", message: outcome.kind, ready: false };
}

function stateOf({ code, ready }: OracleAnswer): "ready" | "not ready" | "failed" {
  if (code !== "OK") return "failed";
  return ready ? "ready" : "not ready";
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

/** By the headers that come first, which may be the trailers. */
function isGrpc({ pieces, trailers }: ScriptedAnswer): boolean {
  const block = pieces.find((piece) => piece.kind === "headers")?.fields ?? trailers;
  const types = valuesOf({ pieces: [], trailers: block }, "content-type");
  return types.length > 0 && types.every((type) => /^application\/grpc(?:$|[+;])/.test(type));
}

function isPlain(status: string): boolean {
  return /^\d+$/.test(status) && Number(status) < 2 ** 31;
}

/** Whether it says that the call failed, once and in the right form. */
function hasOneStatus(answer: ScriptedAnswer): boolean {
  const [first200, ...rest] = answer.pieces;
  const httpStatuses = valuesOf(answer, ":status");
  const statuses = valuesOf(answer, "grpc-status");
  const body = bodyOf(rest);
  return (
    first200?.kind === "headers" &&
    first200.fields[0]?.join() === ":status,200" &&
    httpStatuses.length === 1 &&
    rest.every(({ kind }) => kind === "data") &&
    (body.length === 0 || READABLE.some((message) => message.equals(body))) &&
    isGrpc(answer) &&
    statuses.length === 1 &&
    statuses.every((status) => isPlain(status) && Number(status) > 0)
  );
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
