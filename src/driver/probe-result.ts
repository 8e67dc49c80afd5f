/**
 * Why a probe failed, as the `result` label of `csi_livenessprobe_probes_total`.
 * `internal` is our own fault (no file descriptor, no memory) and never the driver's.
 */
export const FAILURE_REASONS = [
  "socket_missing",
  "not_a_socket",
  "nobody_listens",
  "permission_denied",
  "hung",
  "closed",
  "not_grpc",
  "rpc_error",
  "internal",
] as const;

export type FailureReason = (typeof FAILURE_REASONS)[number];

/** An RPC that was started, as `csi_sidecar_operations_seconds` counts it: connecting is not part of it. */
export interface RpcTiming {
  readonly durationMs: number;
  /** The gRPC status code's number; anything outside 0-16 is one a driver made up. */
  readonly statusCode: number;
}

/** How long the parts of a probe took. A part that was not reached is absent. */
export interface ProbeTiming {
  readonly elapsedMs: number;
  /** From the start of the probe to the driver's HTTP/2 SETTINGS. */
  readonly connectMs?: number;
  readonly rpc?: RpcTiming;
}

/** What one probe came to. */
export type ProbeResult = ReadyResult | NotReadyResult | FailedResult;

export interface ReadyResult {
  readonly kind: "ready";
  readonly timing: ProbeTiming;
}

export interface NotReadyResult {
  readonly kind: "notReady";
  readonly timing: ProbeTiming;
}

export interface FailedResult {
  readonly kind: "failed";
  readonly reason: FailureReason;
  /** One line for a person: what happened, where, after how long, and what to do about it. */
  readonly message: string;
  readonly timing: ProbeTiming;
}
