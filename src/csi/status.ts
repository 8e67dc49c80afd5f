/** gRPC's status codes in the order of their numbers, in Go's spelling, which the Go sidecar's bodies and labels use. */
const NAMES = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
] as const;

export const StatusCode = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  internal: 13,
  unavailable: 14,
} as const;

/** The name in an `rpc error` line: `Internal`; `Code(99)` for a number that gRPC does not define. */
export function statusName(code: number): string {
  return NAMES[code] ?? `Code(${code})`;
}

/** The name as a metric label: what gRPC does not define is `Unknown`, so that no driver can grow a label's values. */
export function statusLabel(code: number): string {
  return NAMES[code] ?? "Unknown";
}

/** `grpc-status` as it stands in a header, as a code: what is no number in 32 bits is `Unknown`, as in grpc-go. */
export function parseStatusCode(header: string): number {
  return /^\d{1,9}$/.test(header) ? Number(header) : StatusCode.unknown;
}
