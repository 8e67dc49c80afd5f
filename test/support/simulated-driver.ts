import { StatusCode } from "../../src/grpc/status";
import type { FailureReason } from "../../src/driver/diagnosis";
import type { ProbeResult } from "../../src/driver/probe";

/** What a driver does with a probe that begins while it behaves so. */
export type Behaviour =
  /** It says something of its own after so long, if the probe has the time. */
  | { readonly kind: "answers"; readonly says: Word; readonly afterMs: number }
  /** The probe fails on its own account after so long. */
  | { readonly kind: "fails"; readonly reason: "closed" | "internal"; readonly afterMs: number }
  /** It takes the request and never answers, whatever becomes of it later. */
  | { readonly kind: "hangs" }
  /** It notices the deadline, and says so before we do. */
  | { readonly kind: "givesUp" }
  /** Nobody listens: the probe tries again until its deadline. */
  | { readonly kind: "absent" };

export type Word = "ready" | "notReady" | "rpcError";

export interface Phase {
  readonly fromMs: number;
  readonly behaviour: Behaviour;
}

export interface Flight {
  readonly endMs: number;
  readonly result: ProbeResult;
  /** Whether the result is something that the driver itself has said. */
  readonly answered: boolean;
}

/**
 * What becomes of a probe.
 *
 * @param phases in the order of their time, the first from 0 on
 */
export function fly(phases: readonly Phase[], beganMs: number, timeoutMs: number): Flight {
  const deadlineMs = beganMs + timeoutMs;
  for (let atMs = beganMs; atMs < deadlineMs;) {
    const index = phases.findLastIndex(({ fromMs }) => fromMs <= atMs);
    const behaviour = phases[index]?.behaviour ?? { kind: "absent" };
    if (behaviour.kind !== "absent") return meet(behaviour, atMs, deadlineMs);
    atMs = phases[index + 1]?.fromMs ?? Infinity;
  }
  return failure("socket_missing", deadlineMs);
}

function meet(behaviour: Exclude<Behaviour, { kind: "absent" }>, atMs: number, deadlineMs: number): Flight {
  switch (behaviour.kind) {
    case "hangs":
      return failure("hung", deadlineMs);
    case "givesUp":
      return { ...failure("rpc_error", deadlineMs), result: rpcError(StatusCode.deadlineExceeded) };
    case "fails":
    case "answers": {
      const endMs = atMs + behaviour.afterMs;
      if (endMs > deadlineMs) return failure("hung", deadlineMs);
      if (behaviour.kind === "fails") return failure(behaviour.reason, endMs);
      return { endMs, result: resultOf(behaviour.says), answered: true };
    }
  }
  return behaviour satisfies never;
}

function failure(reason: FailureReason, endMs: number): Flight {
  return { endMs, result: { kind: "failed", reason, message: reason, timing: { elapsedMs: 1 } }, answered: false };
}

function resultOf(word: Word): ProbeResult {
  return word === "rpcError" ? rpcError(StatusCode.internal) : { kind: word, timing: { elapsedMs: 1 } };
}

function rpcError(statusCode: number): ProbeResult {
  const timing = { elapsedMs: 1, connectMs: 1, rpc: { durationMs: 1, statusCode } };
  return { kind: "failed", reason: "rpc_error", message: `code ${statusCode}`, timing };
}
