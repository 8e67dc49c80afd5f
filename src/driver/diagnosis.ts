import type { CallOutcome } from "../grpc/call-outcome";
import type { ConnectFailure, Unreadable } from "../grpc/connection";
import { statusName } from "../grpc/status";
import { formatDuration } from "../base/duration";
import { adviseOn, describeUid, formatMode, isAllowed, type FilePermissions } from "./permission";
import type { FailureReason } from "./probe-result";
import type { SocketFile } from "./socket-file";
import { oneLine, quote } from "../base/text";

/** Why a probe failed, for a label and for a person. */
export interface Diagnosis {
  readonly reason: FailureReason;
  /** One line: what, where, after how long, and where one helps, what to do. */
  readonly message: string;
}

/** What was tried, where and when. */
export interface Scene {
  readonly socketPath: string;
  /** What was called, as people write it: `Identity/Probe`. */
  readonly rpcName: string;
  readonly elapsedMs: number;
  /** How long connecting was tried, in several attempts; `elapsedMs` where it is absent. */
  readonly triedMs?: number | undefined;
  /** Our own effective user id. */
  readonly uid: number;
  /** What the file system says of the socket now: asked for only where it matters. */
  readonly socketFile: () => SocketFile;
}

/** The longest text of a driver's that is passed on, in bytes after escaping. */
export const MAX_DRIVER_TEXT_BYTES = 1_024;
const MAX_CONTENT_TYPE_BYTES = 128;

/** Says why there is no connection. Branches on codes and file types, never on the text of an error. */
export function diagnoseConnect(failure: ConnectFailure, scene: Scene): Diagnosis {
  const { socketPath } = scene;
  const waited = rounded(scene.elapsedMs);
  switch (failure.kind) {
    case "refused":
      return diagnoseRefusal(failure.code, scene);
    case "closed":
      return {
        reason: "closed",
        message: `connection closed: the driver closes each connection to ${socketPath} before it has said anything in HTTP/2 ${tried(scene)}; see the driver's log`,
      };
    case "notHttp2":
      return {
        reason: "not_grpc",
        message: `not gRPC: what listens on ${socketPath} does not speak HTTP/2 ${tried(scene)}; is this the CSI driver's socket?`,
      };
    case "silent":
      return {
        reason: "hung",
        message: `driver hung: it took the connection on ${socketPath} but did not begin to speak HTTP/2 within ${waited}; its process is stopped, deadlocked or starved`,
      };
  }
  return failure satisfies never;
}

/** Says why a call that was started has no answer. A status that the driver sent reads as the Go sidecar's body does, to the letter. */
export function diagnoseCall(outcome: Exclude<CallOutcome, { readonly kind: "answered" }>, scene: Scene): Diagnosis {
  const { socketPath } = scene;
  const waited = rounded(scene.elapsedMs);
  switch (outcome.kind) {
    case "status":
      return {
        reason: "rpc_error",
        message: `rpc error: code = ${statusName(outcome.code)} desc = ${oneLine(outcome.details, MAX_DRIVER_TEXT_BYTES)}`,
      };
    case "notGrpc":
      return {
        reason: "not_grpc",
        message: `not gRPC: what listens on ${socketPath} answers with HTTP status ${outcome.httpStatus ?? "missing"} and ${contentType(outcome.contentType)} (after ${waited}); is this the CSI driver's socket?`,
      };
    case "unreadable":
      return diagnoseUnreadable(outcome, scene);
    case "closed":
      return {
        reason: "closed",
        message: `connection closed: the driver closed its connection on ${socketPath} in the middle of the call (after ${waited}); see the driver's log`,
      };
    case "timeout":
      return {
        reason: "hung",
        message: `driver hung: HTTP/2 is up on ${socketPath}, but ${scene.rpcName} was not answered within ${waited}; see the driver's log, or raise --probe-timeout if it needs longer`,
      };
  }
  return outcome satisfies never;
}

function contentType(type: string | undefined): string {
  return type === undefined ? "no content-type" : `content-type ${oneLine(quote(type), MAX_CONTENT_TYPE_BYTES)}`;
}

function diagnoseUnreadable({ cause, details }: Unreadable, { socketPath, elapsedMs }: Scene): Diagnosis {
  const what = `${details} (after ${rounded(elapsedMs)})`;
  switch (cause) {
    case "rule":
      return {
        reason: "not_grpc",
        message: `not gRPC: the driver's answer on ${socketPath} breaks HTTP/2, or has more headers than livenessprobe reads (64 KiB each, 128 KiB together): ${what}`,
      };
    case "limit":
      return {
        reason: "internal",
        message: `internal error of livenessprobe: the driver's answer on ${socketPath} has more frames than livenessprobe's HTTP/2 library takes: ${what}`,
      };
  }
  return cause satisfies never;
}

/** A fault of this process, such as no free file descriptor. Never blamed on the driver. */
export function diagnoseInternal(what: string): Diagnosis {
  return {
    reason: "internal",
    message: `internal error of livenessprobe, the driver was not asked: ${oneLine(what, MAX_DRIVER_TEXT_BYTES)}`,
  };
}

// connect(2) and socket(2): what this process or machine is short of, which says nothing of the driver.
export const SHORTAGES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"]);

function diagnoseRefusal(code: string, scene: Scene): Diagnosis {
  if (SHORTAGES.has(code)) {
    return diagnoseInternal(
      `${code} while connecting to ${scene.socketPath}; raise the limit of this process (nofile, memory)`,
    );
  }
  if (code === "EAGAIN") return queueFull(scene);
  if (code === "EPROTOTYPE") return wrongSocketType(scene);
  const file = scene.socketFile();
  switch (file.kind) {
    case "socket":
      if (code === "EACCES" || code === "EPERM") return denied(unwritable(file, scene), scene);
      return code === "ENOENT" ? missing(scene, "did not exist until a moment ago") : nobodyListens(scene);
    case "missing":
      return file.missingDirectory === undefined
        ? missing(scene, "does not exist")
        : missing(scene, `does not exist, nor does its directory ${file.missingDirectory}`);
    case "danglingLink":
      return missing(scene, "is a symbolic link to a file that does not exist");
    case "notASocket":
      return {
        reason: "not_a_socket",
        message: `not a socket: ${scene.socketPath} is a ${file.type} ${tried(scene)}; is this the CSI driver's socket?`,
      };
    case "unreachable":
      return denied(unreachable(file, scene), scene);
    case "hidden":
      return diagnoseInternal(`the file system fails with ${file.code} at ${scene.socketPath}`);
  }
  return file satisfies never;
}

function missing(scene: Scene, how: string): Diagnosis {
  return {
    reason: "socket_missing",
    message: `no such file: ${scene.socketPath} ${how} ${tried(scene)}; is the driver running, does it listen on this path, and is its directory mounted here?`,
  };
}

function nobodyListens(scene: Scene): Diagnosis {
  return {
    reason: "nobody_listens",
    message: `nobody listens: ${scene.socketPath} is there but refuses connections ${tried(scene)}; the driver that made it has stopped, or does not listen yet`,
  };
}

// EAGAIN of connect(2): somebody listens, and has not accepted as many connections as may wait (unix(7)).
function queueFull(scene: Scene): Diagnosis {
  return {
    reason: "hung",
    message: `driver hung: it listens on ${scene.socketPath} but accepts no connections, and its queue of connections is full ${tried(scene)}; its process is stopped, deadlocked or starved`,
  };
}

function wrongSocketType(scene: Scene): Diagnosis {
  return {
    reason: "not_grpc",
    message: `not gRPC: ${scene.socketPath} is a datagram or seqpacket socket, and gRPC needs a stream socket ${tried(scene)}; is this the CSI driver's socket?`,
  };
}

function denied(why: string, scene: Scene): Diagnosis {
  return {
    reason: "permission_denied",
    message: `permission denied: ${why} ${tried(scene)}`,
  };
}

function unwritable(file: Extract<SocketFile, { readonly kind: "socket" }>, { socketPath, uid }: Scene): string {
  const owned = `${socketPath} ${belonging(file)}`;
  const { deniedTo: rights } = file;
  // A security module may refuse access(2) too, so that the bits decide.
  if (rights === undefined || isAllowed("write", file, uid, rights))
    return `${owned}; uid ${uid} may connect by its permissions${REFUSED_OTHERWISE}`;
  const advice = adviseOn("write", file, uid, rights, `let the driver make its socket writable for uid ${uid}`);
  return `${owned}, and connecting as ${describeUid("write", uid, rights)} needs write permission; ${advice.join(", or ")}`;
}

function unreachable(
  { directory, rights }: Extract<SocketFile, { readonly kind: "unreachable" }>,
  { socketPath, uid }: Scene,
): string {
  const blocked = `uid ${uid} may not reach ${socketPath}`;
  if (directory === undefined) {
    return `${blocked}: a directory on the way, behind a symbolic link, denies it; run livenessprobe as the uid that owns the directory, or open it`;
  }
  const owned = `${blocked}: the directory ${directory.path} ${belonging(directory)}`;
  if (isAllowed("search", directory, uid, rights))
    return `${owned}; uid ${uid} may search it by its permissions${REFUSED_OTHERWISE}`;
  const advice = adviseOn("search", directory, uid, rights, `open the directory to uid ${uid}`);
  return `${owned}, and ${describeUid("search", uid, rights)} needs search permission (x); ${advice.join(", or ")}`;
}

const REFUSED_OTHERWISE =
  ", so something else refuses it, such as SELinux, AppArmor or seccomp: see the node's audit log";

function belonging({ uid, gid, mode }: FilePermissions): string {
  return `belongs to uid ${uid} and gid ${gid} with mode ${formatMode(mode)}`;
}

function tried({ triedMs, elapsedMs }: Scene): string {
  return `(tried for ${rounded(triedMs ?? elapsedMs)})`;
}

function rounded(ms: number): string {
  return formatDuration(ms < 1_000 ? Math.round(ms) : Math.round(ms / 10) * 10);
}
