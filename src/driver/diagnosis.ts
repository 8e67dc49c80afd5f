import { formatDuration } from "../base/duration";
import { describeShortage } from "../base/shortage";
import { oneLine, quote } from "../base/text";
import type { Unanswered } from "../grpc/call-outcome";
import type { ConnectFailure, Unreadable } from "../grpc/connection";
import { statusName } from "../grpc/status";
import type { NoConnection } from "./client";
import { explainUnreachable, explainUnwritable } from "./permission";
import type { SocketFile } from "./socket-file";

/** How the message begins for each reason, but `rpc_error` and `internal`. */
const SUMMARY = {
  socket_missing: "no such file",
  not_a_socket: "not a socket",
  nobody_listens: "nobody listens",
  permission_denied: "permission denied",
  hung: "driver hung",
  closed: "connection closed",
  not_grpc: "not gRPC",
} as const;

/**
 * Why a probe failed, as the `result` label of `csi_livenessprobe_probes_total`.
 * `internal` is a fault of ours (no file descriptor, no memory) and never the driver's.
 */
export type FailureReason = keyof typeof SUMMARY | "rpc_error" | "internal";

// Object.keys has no narrower type than string.
const SUMMARIZED = Object.keys(SUMMARY) as (keyof typeof SUMMARY)[];
export const FAILURE_REASONS: readonly FailureReason[] = [...SUMMARIZED, "rpc_error", "internal"];

/** Why a driver did not answer, for a label and for a person. */
export interface Diagnosis {
  readonly reason: FailureReason;
  /** One line: what, where, after how long, and what to do. */
  readonly message: string;
  /** Set where a fault of this process or its machine kept us from asking: nothing is known of the driver. */
  readonly notAsked?: true;
}

/** The driver that was asked, and who asked it. */
export interface Target {
  /** As messages name it. */
  readonly socketPath: string;
  /** Looks at the socket's file. Called only where that tells more. */
  readonly socketFile: () => SocketFile;
}

/** An RPC that was not answered. */
export interface Attempt extends Target {
  /** The path of the RPC: `/csi.v1.Identity/Probe`. */
  readonly rpcPath: string;
  readonly elapsedMs: number;
  /** How long connecting was tried, in several attempts. `elapsedMs` where absent. */
  readonly triedMs?: number | undefined;
}

/** The longest text of a driver's that is passed on, in bytes after escaping. */
export const MAX_DRIVER_TEXT_BYTES = 1_024;
const MAX_CONTENT_TYPE_BYTES = 128;

/**
 * Says why a driver did not answer. Decides by codes and file types, never by the text of an error. A status that the
 * driver sent reads exactly as in the body of the Go sidecar.
 */
export function diagnose(outcome: NoConnection | Unanswered, attempt: Attempt): Diagnosis {
  const { socketPath } = attempt;
  const waited = rounded(attempt.elapsedMs);
  switch (outcome.kind) {
    case "noConnection":
      return diagnoseConnect(outcome.failure, attempt);
    case "status":
      return {
        reason: "rpc_error",
        message: `rpc error: code = ${statusName(outcome.code)} desc = ${oneLine(outcome.details, MAX_DRIVER_TEXT_BYTES)}`,
      };
    case "notGrpc":
      return failure(
        "not_grpc",
        `what listens on ${socketPath} answers with HTTP status ${outcome.httpStatus ?? "missing"} and ${describeContentType(outcome.contentType)} (after ${waited}); is this the CSI driver's socket?`,
      );
    case "unreadable":
      return diagnoseUnreadable(outcome, socketPath, waited);
    case "closed":
      return failure(
        "closed",
        `the driver closed its connection on ${socketPath} in the middle of the call (after ${waited}); see the driver's log`,
      );
    case "timeout":
      return failure(
        "hung",
        `HTTP/2 is up on ${socketPath}, but ${rpcName(attempt.rpcPath)} was not answered within ${waited}; see the driver's log, or raise --probe-timeout if it needs longer`,
      );
  }
  return outcome satisfies never;
}

/** A fault of this process, such as an exception. Never blamed on the driver. */
export function diagnoseInternal(what: string, socketPath: string): Diagnosis {
  const message = `livenessprobe could not ask the driver on ${socketPath}: ${oneLine(what, MAX_DRIVER_TEXT_BYTES)}`;
  return { reason: "internal", message, notAsked: true };
}

function failure(reason: keyof typeof SUMMARY, details: string): Diagnosis {
  return { reason, message: `${SUMMARY[reason]}: ${details}` };
}

function diagnoseConnect(failed: ConnectFailure, attempt: Attempt): Diagnosis {
  const { socketPath, elapsedMs, triedMs = elapsedMs } = attempt;
  const tried = `(tried for ${rounded(triedMs)})`;
  switch (failed.kind) {
    case "shortage":
      return diagnoseInternal(describeShortage(failed.code) ?? failed.code, socketPath);
    case "refused":
      return diagnoseRefusal(failed.code, attempt, tried);
    case "closed":
      return failure(
        "closed",
        `the driver closes each connection to ${socketPath} before it has said anything in HTTP/2 ${tried}; see the driver's log`,
      );
    case "notHttp2":
      return failure(
        "not_grpc",
        `what listens on ${socketPath} does not speak HTTP/2 ${tried}; is this the CSI driver's socket?`,
      );
    case "silent":
      return failure(
        "hung",
        `it took the connection on ${socketPath} but did not begin to speak HTTP/2 within ${rounded(elapsedMs)}; its process is stopped, deadlocked or starved`,
      );
  }
  return failed satisfies never;
}

/** connect(2) failed with `code`. */
function diagnoseRefusal(code: string, { socketPath, socketFile }: Attempt, tried: string): Diagnosis {
  // unix(7): somebody listens, and has not accepted as many connections as may wait.
  if (code === "EAGAIN")
    return failure(
      "hung",
      `it listens on ${socketPath} but accepts no connections, and its queue of connections is full ${tried}; its process is stopped, deadlocked or starved`,
    );
  if (code === "EPROTOTYPE")
    return failure(
      "not_grpc",
      `${socketPath} is a datagram or seqpacket socket, and gRPC needs a stream socket ${tried}; is this the CSI driver's socket?`,
    );
  const missing = (how: string) =>
    failure(
      "socket_missing",
      `${socketPath} ${how} ${tried}; is the driver running, does it listen on this path, and is its directory mounted here?`,
    );
  const file = socketFile();
  switch (file.kind) {
    case "socket":
      if (code === "EACCES" || code === "EPERM")
        return failure("permission_denied", `${explainUnwritable(file, socketPath)} ${tried}`);
      if (code === "ENOENT") return missing("did not exist until a moment ago");
      return failure(
        "nobody_listens",
        `${socketPath} is there but refuses connections ${tried}; the driver that made it has stopped, or does not listen yet`,
      );
    case "missing":
      return missing(
        file.missingDirectory === undefined
          ? "does not exist"
          : `does not exist, nor does its directory ${file.missingDirectory}`,
      );
    case "danglingLink":
      return missing("is a symbolic link to a file that does not exist");
    case "notASocket":
      return failure("not_a_socket", `${socketPath} is a ${file.type} ${tried}; is this the CSI driver's socket?`);
    case "unreachable":
      return failure("permission_denied", `${explainUnreachable(file, socketPath)} ${tried}`);
    case "hidden":
      return diagnoseInternal(`the file system fails with ${file.code} there`, socketPath);
  }
  return file satisfies never;
}

function diagnoseUnreadable({ cause, details }: Unreadable, socketPath: string, waited: string): Diagnosis {
  const what = `${details} (after ${waited})`;
  switch (cause) {
    case "rule":
      return failure(
        "not_grpc",
        `the driver's answer on ${socketPath} breaks HTTP/2, or has more headers than livenessprobe reads (64 KiB each, 128 KiB together): ${what}`,
      );
    case "limit":
      return {
        reason: "internal",
        message: `internal error of livenessprobe: the driver's answer on ${socketPath} has more frames than livenessprobe's HTTP/2 library takes: ${what}`,
      };
  }
  return cause satisfies never;
}

function describeContentType(type: string | undefined): string {
  return type === undefined ? "no content-type" : `content-type ${oneLine(quote(type), MAX_CONTENT_TYPE_BYTES)}`;
}

/** As people write it: `Identity/Probe`. */
function rpcName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function rounded(ms: number): string {
  return formatDuration(ms < 1_000 ? Math.round(ms) : Math.round(ms / 10) * 10);
}
