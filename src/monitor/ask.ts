import { Deadline } from "../base/deadline";
import { errorText } from "../base/errors";
import {
  type CallAnswer,
  decodeAnswer,
  isUnimplemented,
  type NoConnection,
  noConnection,
  type Rpc,
} from "../driver/client";
import { diagnose, diagnoseInternal } from "../driver/diagnosis";
import { GET_PLUGIN_INFO, PROBE } from "../driver/messages";
import { GET_REGISTRATION_INFO, type RegistrationInfo } from "../driver/node-messages";
import { callUnary } from "../grpc/call";
import type { ConnectFailure, Connection } from "../grpc/connection";
import {
  attemptOf,
  type Asker,
  type DriverAnswers,
  failedAnswers,
  hasEnded,
  stateOf,
  withInfo,
} from "../inspection/questions";
import { pinSocket } from "../node/pinned-socket";
import type { NodeSocket } from "../node/socket-search";
import { callAndHold, type Hang, type HeldTiming, type Hold } from "./held-call";
import type { AskEvent } from "./scheduler";

export interface AskOptions extends Asker {
  readonly socket: NodeSocket;
  /** When its file was made, as `birthOf` says. */
  readonly birth: bigint | undefined;
  readonly hold: Hold;
}

/** What came of asking a driver: an event for its schedule, and what is known now. */
export interface Asked {
  readonly event: AskEvent;
  /** Undefined where nothing is known of the driver: the connection was lost or let go, or the socket was replaced. */
  readonly answers: DriverAnswers | undefined;
}

export interface AskDriverOptions extends AskOptions {
  /** Whether its name and version are asked for, too. */
  readonly wantsInfo: boolean;
  /** The time is over. The answer is waited for all the same. */
  readonly onHang: (answers: DriverAnswers, hang: Hang) => void;
}

/** Asks a driver for its state, over one connection, as `list` does. Never rejects. */
export async function askDriver(options: AskDriverOptions): Promise<Asked> {
  const { socket, birth } = options;
  const pinned = pinSocket(socket.outerPath, socket.fileId, birth);
  switch (pinned.kind) {
    case "pinned": {
      using held = pinned.socket;
      return await askPinned(held.path, options);
    }
    case "replaced":
      return { event: "failure", answers: undefined };
    case "failed": {
      const attempt = attemptOf({ ...options, connectPath: socket.outerPath, socketPath: socket.path }, 0, PROBE.path);
      return { event: "failure", answers: failedAnswers(diagnose(noConnection(pinned.code), attempt)) };
    }
  }
  return pinned satisfies never;
}

async function askPinned(connectPath: string, options: AskDriverOptions): Promise<Asked> {
  const { socket, probeTimeoutMs: timeoutMs, hold } = options;
  const attempt = (elapsedMs: number) =>
    attemptOf({ ...options, connectPath, socketPath: socket.path }, elapsedMs, PROBE.path);
  const onHang = (hang: Hang): void => {
    const outcome =
      hang.at === "connect" ? unconnected({ kind: "silent" }, hang.timing) : ({ kind: "timeout" } as const);
    options.onHang({ ...failedAnswers(diagnose(outcome, attempt(timeoutMs))), ...times(hang.timing) }, hang);
  };
  try {
    const held = await callAndHold({ socketPath: connectPath, path: PROBE.path, timeoutMs, hold, onHang });
    const { timing, wasHung } = held;
    switch (held.kind) {
      case "ended":
        return { event: wasHung ? "expiry" : "failure", answers: undefined };
      case "noConnection": {
        const { failure } = held;
        if (wasHung && failure.kind === "closed") return { event: "loss", answers: undefined };
        const diagnosis = diagnose(unconnected(failure, timing), attempt(timing.elapsedMs));
        return { event: "failure", answers: failedAnswers(diagnosis) };
      }
      case "called": {
        using connection = closing(held.connection);
        if (wasHung && held.outcome.kind === "closed") return { event: "loss", answers: undefined };
        const answer = decodeAnswer(held.outcome, PROBE.decode);
        const answers = { ...stateOf(answer, attempt(timing.elapsedMs)), ...times(timing) };
        if (hasEnded(answer)) return { event: "failure", answers };
        if (!options.wantsInfo && !isUnimplemented(answer)) return { event: "answer", answers };
        const info = await callNow(connection.of, GET_PLUGIN_INFO, options);
        return { event: "answer", answers: withInfo(answers, answer, info) };
      }
    }
    return held satisfies never;
  } catch (error) {
    return { event: "failure", answers: failedAnswers(diagnoseInternal(errorText(error), socket.path)) };
  }
}

function unconnected(failure: ConnectFailure, { connectMs, elapsedMs }: HeldTiming): NoConnection {
  return { kind: "noConnection", failure, connectMs, elapsedMs };
}

async function callNow<Response>(
  connection: Connection,
  { path, decode }: Rpc<Response>,
  { probeTimeoutMs }: AskDriverOptions,
): Promise<CallAnswer<Response>> {
  const deadline = new Deadline(probeTimeoutMs);
  try {
    return decodeAnswer(await callUnary(connection, path, deadline), decode);
  } finally {
    deadline.clear();
  }
}

function times({ openMs, elapsedMs }: HeldTiming): Pick<DriverAnswers, "connectMs" | "callMs"> {
  return { connectMs: openMs, callMs: openMs === undefined ? undefined : elapsedMs - openMs };
}

/** What came of asking a registration socket. */
export type RegistrarAnswer =
  | { readonly kind: "told"; readonly info: RegistrationInfo }
  /** A gRPC server that is no registrar: perhaps a driver that listens in the registry. */
  | { readonly kind: "other" }
  | { readonly kind: "silent"; readonly event: AskEvent };

/** Asks a registration socket for what it announces. Never rejects. */
export async function askRegistrar(options: AskOptions & { readonly onHang: () => void }): Promise<RegistrarAnswer> {
  const { socket, birth, probeTimeoutMs: timeoutMs, hold, onHang } = options;
  const pinned = pinSocket(socket.outerPath, socket.fileId, birth);
  if (pinned.kind !== "pinned") return { kind: "silent", event: "failure" };
  using file = pinned.socket;
  try {
    const { path, decode } = GET_REGISTRATION_INFO;
    const held = await callAndHold({ socketPath: file.path, path, timeoutMs, hold, onHang });
    if (held.kind === "ended") return { kind: "silent", event: held.wasHung ? "expiry" : "failure" };
    if (held.kind === "noConnection") return { kind: "silent", event: held.wasHung ? "loss" : "failure" };
    using _ = closing(held.connection);
    const answer = decodeAnswer(held.outcome, decode);
    if (answer.kind === "answered") return { kind: "told", info: answer.response };
    return isUnimplemented(answer) ? { kind: "other" } : { kind: "silent", event: held.wasHung ? "loss" : "failure" };
  } catch {
    return { kind: "silent", event: "failure" };
  }
}

function closing(connection: Connection): Disposable & { readonly of: Connection } {
  return { of: connection, [Symbol.dispose]: () => connection.close() };
}
