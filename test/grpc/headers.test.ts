import { describe, expect, test } from "bun:test";
import {
  decodeGrpcMessage,
  formatGrpcTimeout,
  type GrpcStatus,
  isGrpcContentType,
  readHeaderBlock,
} from "../../src/grpc/headers";
import { MAX_PROBE_TIMEOUT_MS } from "../../src/cli/options";

const HOUR_MS = 3_600_000;

test.each([
  ["application/grpc", true],
  ["application/grpc+proto", true],
  ["application/grpc+", true],
  ["application/grpc;charset=utf-8", true],
  ["application/grpcx", false],
  ["application/grpc-web", false],
  ["application/grpc ", false],
  ["Application/grpc", false],
  ["text/html", false],
  ["", false],
])("the content-type %p is gRPC's: %p", (type, isGrpc) => {
  expect(isGrpcContentType(type)).toBe(isGrpc);
});

describe("a grpc-message is decoded byte by byte:", () => {
  test.each([
    ["plain text", "out of disk space", "out of disk space"],
    ["a slash and a colon", "disk%2Fsda%3A bad", "disk/sda: bad"],
    ["small hexadecimal digits", "disk%2fsda%3a bad", "disk/sda: bad"],
    ["UTF-8 of several bytes", "caf%C3%A9 %F0%9F%98%80", "café 😀"],
    ["a percent sign that is encoded", "100%25", "100%"],
    ["an encoded percent sign before digits, once", "%2541", "%41"],
    ["percent signs without digits", "%zz 100% %4", "%zz 100% %4"],
    ["percent signs before a good one", "%%41%", "%A%"],
    ["a byte that is not UTF-8, alone", "caf%C3%A9 %FF bad", "café \ufffd bad"],
    ["UTF-8 that was not encoded", Buffer.from("café").toString("latin1"), "café"],
    ["nothing", "", ""],
  ])("%s", (_, header, message) => {
    expect(decodeGrpcMessage(header)).toBe(message);
  });
});

describe("headers are read", () => {
  test.each<[string, readonly string[], GrpcStatus]>([
    ["with the status and its message", ["grpc-status", "13", "grpc-message", "a%3A"], given(13, "a:")],
    ["with the message first", ["grpc-message", "m", "grpc-status", "5"], given(5, "m")],
    ["with the last of two messages", ["grpc-status", "5", "grpc-message", "a", "grpc-message", "b"], given(5, "b")],
    ["without a message", ["grpc-status", "0"], given(0, "")],
    ["without a status", ["grpc-message", "m"], { kind: "absent" }],
    ["with a status that is no number", ["grpc-status", "abc"], { kind: "malformed", header: "abc" }],
    ["with two statuses", ["grpc-status", "0", "grpc-status", "0"], { kind: "malformed", header: "0, 0" }],
    ["with a value that is named like a header", ["x", "grpc-status", "y", "0"], { kind: "absent" }],
  ])("%s", (_, raw, status) => {
    expect(readHeaderBlock(raw)).toEqual({ httpStatus: undefined, contentType: undefined, isGrpc: false, status });
  });

  test("with the HTTP status and the content-type", () => {
    const raw = [":status", "200", "content-type", "application/grpc"];
    const status = { kind: "absent" } as const;
    expect(readHeaderBlock(raw)).toEqual({ httpStatus: 200, contentType: "application/grpc", isGrpc: true, status });
  });
});

test.each([
  ["half a millisecond", 0.5, "1m"],
  ["nothing left", 0, "1m"],
  ["three seconds", 3_000, "3000m"],
  ["a fraction, rounded up", 2_999.2, "3000m"],
  ["the most that fits in milliseconds", 99_999_999, "99999999m"],
  ["a little more", 99_999_999.5, "100000S"],
  ["30 hours", 30 * HOUR_MS, "108000S"],
  ["30 hours less 5 ms, rounded up", 30 * HOUR_MS - 5, "108000S"],
  ["the longest --probe-timeout", MAX_PROBE_TIMEOUT_MS, "2145600S"],
  ["five years", 5 * 365 * 24 * HOUR_MS, "2628000M"],
  ["five centuries", 500 * 365 * 24 * HOUR_MS, "4380000H"],
])("grpc-timeout of %s", (_, ms, header) => {
  expect(formatGrpcTimeout(ms)).toBe(header);
  expect(header).toMatch(/^\d{1,8}[mSMH]$/);
});

function given(code: number, message: string): GrpcStatus {
  return { kind: "given", code, message };
}
