/**
 * gRPC's status codes in the order of their numbers, in Go's spelling, which the Go sidecar's bodies and labels use.
 */
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
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The name in an `rpc error` line: `Internal`; `Code(99)` for a number that gRPC does not define. */
export function statusName(code: number): string {
  return NAMES[code] ?? `Code(${code})`;
}

/** The name as a metric label: what gRPC does not define is `Unknown`, so that no driver can grow a label's values. */
export function statusLabel(code: number): string {
  return NAMES[code] ?? "Unknown";
}

/**
 * `grpc-status` as it stands in a header, as a code, read as grpc-go does: a decimal number with or without a sign that
 * fits in 32 bits (`strconv.ParseInt`), made unsigned.
 *
 * @returns undefined where it is malformed
 */
export function parseStatusCode(header: string): number | undefined {
  if (!/^[+-]?\d+$/.test(header)) return undefined;
  const value = Number(header);
  return value >= -(2 ** 31) && value < 2 ** 31 ? value >>> 0 : undefined;
}

/** The code of an answer that has an HTTP status and no `grpc-status` ("HTTP to gRPC Status Code Mapping"). */
export function statusOfHttp(httpStatus: number | undefined): number {
  switch (httpStatus) {
    case undefined:
    case 400:
      return StatusCode.internal;
    case 401:
      return StatusCode.unauthenticated;
    case 403:
      return StatusCode.permissionDenied;
    case 404:
      return StatusCode.unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return StatusCode.unavailable;
    default:
      return StatusCode.unknown;
  }
}
