import { parseStatusCode } from "./status";

/** What gRPC has to know of one HEADERS frame of an answer, be it the first or the last one. */
export interface HeaderBlock {
  /** Undefined in trailers. */
  readonly httpStatus: number | undefined;
  readonly contentType: string | undefined;
  /** Whether a content-type is one of gRPC's. */
  readonly isGrpc: boolean;
  readonly status: GrpcStatus;
}

/** `grpc-status` and `grpc-message`, decoded. */
export type GrpcStatus =
  | { readonly kind: "given"; readonly code: number; readonly message: string }
  | { readonly kind: "malformed"; readonly header: string }
  | { readonly kind: "absent" };

/**
 * Reads headers as grpc-go does, but that a repeated `grpc-status` is malformed: grpc-go takes the last one.
 *
 * @param raw names and values in turn, as node:http2 hands them on; each character of a value stands for one byte
 */
export function readHeaderBlock(raw: readonly string[]): HeaderBlock {
  let httpStatus: number | undefined;
  let contentType: string | undefined;
  let isGrpc = false;
  let status: string | undefined;
  let message = "";
  for (let at = 0; at < raw.length; at += 2) {
    const value = raw[at + 1] ?? "";
    switch (raw[at]) {
      case ":status":
        httpStatus = Number(value);
        break;
      case "content-type":
        contentType = value;
        isGrpc ||= isGrpcContentType(value);
        break;
      case "grpc-status":
        status = status === undefined ? value : `${status}, ${value}`;
        break;
      case "grpc-message":
        message = value;
        break;
    }
  }
  return { httpStatus, contentType, isGrpc, status: readStatus(status, message) };
}

function readStatus(header: string | undefined, message: string): GrpcStatus {
  if (header === undefined) return { kind: "absent" };
  const code = parseStatusCode(header);
  if (code === undefined) return { kind: "malformed", header };
  return { kind: "given", code, message: decodeGrpcMessage(message) };
}

/**
 * "Content-Type" of "gRPC over HTTP2", as strictly as grpc-go reads it: in lower case, and `application/grpc-web` is
 * another.
 */
export function isGrpcContentType(contentType: string): boolean {
  return /^application\/grpc(?:$|[+;])/.test(contentType);
}

/**
 * Decodes a `grpc-message` as grpc-go does: byte by byte, and what is not a `%` with two hexadecimal digits stays as it
 * is. Bytes that are not UTF-8 become U+FFFD.
 *
 * @param header each character stands for one byte
 */
export function decodeGrpcMessage(header: string): string {
  if (header === "") return header;
  const bytes = header.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

const TIMEOUT_UNITS = [
  ["m", 1],
  ["S", 1_000],
  ["M", 60_000],
  ["H", 3_600_000],
] as const;

/** "TimeoutValue" of "gRPC over HTTP2": eight digits at most. */
const LARGEST_TIMEOUT_VALUE = 99_999_999;

/**
 * Writes a `grpc-timeout` in the finest unit, from milliseconds up, in which it has no more than eight digits. Rounded
 * up, as in grpc-go: the driver must not give up before we do, or its status would stand for our own timeout.
 */
export function formatGrpcTimeout(ms: number): string {
  const fits = TIMEOUT_UNITS.find(([, unitMs]) => Math.ceil(ms / unitMs) <= LARGEST_TIMEOUT_VALUE);
  const [unit, unitMs] = fits ?? ["H", 3_600_000];
  return `${Math.max(1, Math.ceil(ms / unitMs))}${unit}`;
}
