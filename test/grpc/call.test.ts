import { describe, expect, test } from "bun:test";
import { callUnary, MAX_MESSAGE_BYTES } from "../../src/grpc/call";
import type { CallOutcome } from "../../src/grpc/call-outcome";
import { openConnection, type Unreadable } from "../../src/grpc/connection";
import { StatusCode } from "../../src/grpc/status";
import { Deadline } from "../../src/base/deadline";
import type { BehaviourName } from "../support/hostile-behaviours";
import { startHostileDriver } from "../support/hostile-driver";
import { paddedReady, PROBE_RESPONSE } from "../support/probe-messages";
import { startRecordingDriver } from "../support/recording-driver";
import { waitUntil } from "../support/wait";

const METHOD = "/csi.v1.Identity/Probe";
const USER_AGENT = "livenessprobe/devel";
const TIMEOUT_MS = 2_000;
/** For what ends by no other way than the timeout; well above the 50 ms in which a status may be our own deadline's. */
const SHORT_MS = 1_000;

describe("a driver that", () => {
  test.each<[BehaviourName, Buffer]>([
    ["answers ready (right)", PROBE_RESPONSE.ready],
    ["answers without ready (right)", PROBE_RESPONSE.absent],
    ["answers not ready by leaving it out (right)", PROBE_RESPONSE.notReadyEmpty],
    ["answers not ready in writing (right)", PROBE_RESPONSE.notReadyWritten],
    ["answers ready in 65,536 bytes (right)", paddedReady(MAX_MESSAGE_BYTES)],
    ["answers ready in full, then resets the stream", PROBE_RESPONSE.ready],
    ["answers ready with HTTP 503 (right)", PROBE_RESPONSE.ready],
    ["answers ready as application/grpc+proto (right)", PROBE_RESPONSE.ready],
    ["answers ready after HTTP 103 (right)", PROBE_RESPONSE.ready],
    ["answers ready with empty DATA around it (right)", PROBE_RESPONSE.ready],
    ["answers grpc-status 13 in the headers and 0 in the trailers (right)", PROBE_RESPONSE.ready],
    ["answers grpc-status +0 (right)", PROBE_RESPONSE.ready],
    ["sends a graceful GOAWAY, then answers ready (right)", PROBE_RESPONSE.ready],
    ["sends GOAWAY up to our stream, then answers ready (right)", PROBE_RESPONSE.ready],
    ["sends GOAWAY twice, as grpc-go does, then answers ready (right)", PROBE_RESPONSE.ready],
    ["sends GOAWAY up to our stream, answers ready and closes (right)", PROBE_RESPONSE.ready],
    ["sends GOAWAY in the middle of a ready answer (right)", PROBE_RESPONSE.ready],
    ["answers ready after 5,000 empty DATA (right)", PROBE_RESPONSE.ready],
    ["answers ready after 500 header fields (right)", PROBE_RESPONSE.ready],
    ["answers ready before 500 trailer fields (right)", PROBE_RESPONSE.ready],
    ["answers ready after 125 KB of headers (right)", PROBE_RESPONSE.ready],
  ])("%s: its message is handed on without gRPC's prefix", async (name, message) => {
    const outcome = await call(name);
    expect(outcome.kind).toBe("answered");
    expect(Buffer.from("message" in outcome ? outcome.message : []).equals(message)).toBe(true);
  });

  test.each<[BehaviourName, number, RegExp]>([
    ["answers grpc-status 13 with message m13", StatusCode.internal, /^m13$/],
    ["answers grpc-status 13 after a message", StatusCode.internal, /^m13$/],
    ["answers grpc-status 14 in trailers alone", StatusCode.unavailable, /^unavailable just now$/],
    ["answers grpc-status 99", 99, /^made up$/],
    ["answers grpc-status abc", StatusCode.unknown, /^malformed grpc-status "abc"$/],
    ["answers grpc-status -1", 4_294_967_295, /^$/],
    ["answers an empty grpc-status", StatusCode.unknown, /^malformed grpc-status ""$/],
    ["answers grpc-status 13, then 0", StatusCode.unknown, /^malformed grpc-status "13, 0"$/],
    [
      "answers grpc-status abc in the headers and 0 in the trailers",
      StatusCode.unknown,
      /^malformed grpc-status "abc"$/,
    ],
    ["answers grpc-status 0 in the headers and none in the trailers", StatusCode.unknown, /ends without grpc-status/],
    ["answers grpc-status 0 in the headers and 13 in the trailers", StatusCode.internal, /^m13$/],
    ["answers grpc-status 13 with HTTP 503", StatusCode.internal, /^m13$/],
    ["answers a grpc-message with an encoded slash", StatusCode.internal, /^disk\/sda: bad$/],
    ["answers a grpc-message with a byte that is not UTF-8", StatusCode.internal, /^café \ufffd bad$/],
    ["answers a grpc-message of UTF-8 as it is", StatusCode.internal, /^café, 磁盘$/],
    ["answers a grpc-message of Latin-1 as it is", StatusCode.internal, /^caf\ufffd$/],
    ["answers a grpc-message with a space around it", StatusCode.internal, /^ m13 $/],
    ["answers a grpc-message with percent-encoded newlines", StatusCode.internal, /^one\ntwo\r\nthree$/],
    ["answers a grpc-message with broken percent-encoding", StatusCode.internal, /^%zz 100% %$/],
    ["answers a grpc-message of 8 KB", StatusCode.internal, /^m{8192}$/],
    ["answers grpc-status 0 in trailers alone", StatusCode.internal, /status OK without a message/],
    ["answers grpc-status 0 without a message", StatusCode.internal, /status OK without a message/],
    ["answers half a message", StatusCode.internal, /status OK without a message/],
    ["answers ready, and 3 bytes more", StatusCode.internal, /half a message after the first/],
    ["answers two messages", StatusCode.internal, /more than one message/],
    ["answers a compressed message without grpc-encoding", StatusCode.internal, /compressed/],
    ["answers application/grpc without grpc-status", StatusCode.internal, /without gRPC status/],
    ["answers a message of 65,537 bytes", StatusCode.resourceExhausted, /65537 vs 65536/],
    ["answers a message of 3 MB", StatusCode.resourceExhausted, /vs 65536/],
    ["declares a message of 4 GB", StatusCode.resourceExhausted, /4294967295 vs 65536/],
    ["resets the stream with INTERNAL_ERROR", StatusCode.internal, /RST_STREAM with code 2/],
    ["resets the stream with CANCEL", StatusCode.canceled, /cancelled/],
    ["resets the stream with NO_ERROR", StatusCode.internal, /without gRPC status/],
    ["answers the message, then resets the stream", StatusCode.internal, /RST_STREAM with code 2/],
  ])("%s: status %d", async (name, code, details) => {
    expect(await call(name)).toEqual({ kind: "status", code, details: expect.stringMatching(details) });
  });

  test.each<[BehaviourName, object]>([
    ["resets the stream with REFUSED_STREAM", { kind: "status", code: StatusCode.unavailable }],
    ["sends GOAWAY below our stream", { kind: "closed" }],
    ["sends GOAWAY twice, the second below our stream", { kind: "closed" }],
  ])("%s: unprocessed, so the call may be made again", async (name, outcome) => {
    expect(await call(name)).toMatchObject({ ...outcome, unprocessed: true });
  });

  test.each<[BehaviourName, number, string | undefined, number]>([
    ["answers HTTP 404 without grpc-status", 404, "text/plain", StatusCode.unimplemented],
    ["answers HTTP 200 text/html without grpc-status", 200, "text/html", StatusCode.unknown],
    ["answers HTTP 503 with an HTML page", 503, "text/html", StatusCode.unavailable],
    ["answers HTTP 503 as application/grpc without grpc-status", 503, "application/grpc", StatusCode.unavailable],
    ["answers ready without content-type", 200, undefined, StatusCode.unknown],
    ["answers ready as text/html", 200, "text/html", StatusCode.unknown],
    ["answers ready as application/grpcx", 200, "application/grpcx", StatusCode.unknown],
    ["answers grpc-status 0 as text/html in trailers alone", 200, "text/html", StatusCode.unknown],
    ["answers grpc-status 13 without content-type in trailers alone", 200, undefined, StatusCode.unknown],
    ["names its content-type in the trailers", 200, undefined, StatusCode.unknown],
  ])("%s: no gRPC, but HTTP %d of type %p", async (name, httpStatus, contentType, code) => {
    expect(await call(name)).toEqual({ kind: "notGrpc", code, httpStatus, contentType });
  });

  test.each<[BehaviourName, Unreadable["cause"], RegExp]>([
    ["answers ready after 5,000 PINGs (right)", "limit", /Flooding/],
    ["answers ready after 5,000 SETTINGS (right)", "limit", /Flooding/],
    ["floods the stream with empty DATA", "limit", /Too many invalid HTTP\/2 frames/],
    ["answers ready after a header of 70 KB (right)", "rule", /Protocol error/],
    ["answers ready after 1 MB of headers (right)", "rule", /Protocol error/],
    ["declares a frame of 16 MB", "rule", /Protocol error/],
    ["pushes a promise before it answers", "rule", /Protocol error/],
    ["answers ready with a connection header (right)", "rule", /PROTOCOL_ERROR/],
    ["answers a grpc-message with a raw newline", "rule", /PROTOCOL_ERROR/],
    ["answers ready, with HEADERS twice", "rule", /PROTOCOL_ERROR/],
  ])("%s: unreadable for our HTTP/2 library, by a %s", async (name, cause, details) => {
    expect(await call(name)).toEqual({ kind: "unreadable", cause, details: expect.stringMatching(details) });
  });

  test.each<[BehaviourName]>([
    ["loses the connection mid-call"],
    ["loses the connection after the message"],
    ["closes after SETTINGS"],
    ["sends GOAWAY after SETTINGS"],
    ["sends GOAWAY after SETTINGS and closes"],
    ["sends GOAWAY with an error, then answers ready"],
    ["sends a graceful GOAWAY and closes"],
  ])("%s: closed", async (name) => {
    expect(await call(name)).toMatchObject({ kind: "closed" });
  });

  test.each<[BehaviourName]>([
    ["takes the request and never answers"],
    ["sends a graceful GOAWAY and never answers"],
    ["sends a graceful GOAWAY after SETTINGS"],
    ["answers headers and never a message"],
    ["answers the message and never the trailers"],
    ["trickles one byte of the answer each 100 ms"],
    ["sends SETTINGS that allow no streams"],
    ["sends SETTINGS that allow no bytes"],
  ])("%s: timeout, at the deadline", async (name) => {
    const startedAt = performance.now();
    expect(await call(name, SHORT_MS)).toEqual({ kind: "timeout" });
    expect(performance.now() - startedAt).toBeGreaterThan(SHORT_MS - 2);
  });
});

test("a status that the driver sends at its own reading of our deadline is a timeout", async () => {
  await using driver = await startHostileDriver("resets the stream with CANCEL");
  expect(await callAt(driver.socketPath, 40)).toEqual({ kind: "timeout" });
});

test("a request is as gRPC has it: one stream, its headers, an empty message, and what remains of the deadline", async () => {
  await using driver = await startRecordingDriver();
  expect(await callAt(driver.socketPath, TIMEOUT_MS)).toMatchObject({ kind: "answered" });
  expect(driver.connections).toHaveLength(1);
  const [connection] = driver.connections;
  expect(connection).toMatchObject({ streams: 1 });
  expect(connection?.requests.map(({ body }) => body.toString("hex"))).toEqual(["0000000000"]);
  expect(connection?.requests.map(({ headers }) => Object.fromEntries(Object.entries(headers)))).toEqual([
    {
      ":method": "POST",
      ":scheme": "http",
      ":path": METHOD,
      ":authority": "localhost",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": USER_AGENT,
      "grpc-timeout": expect.stringMatching(/^(1?\d{1,3}|2000)m$/),
    },
  ]);
});

test("a call on a connection that has ended before it is closed", async () => {
  await using driver = await startHostileDriver("answers ready (right)");
  const deadline = new Deadline(TIMEOUT_MS);
  const outcome = await openConnection(driver.socketPath, deadline);
  if (outcome.kind !== "connected") throw new Error(`not connected but ${outcome.kind}`);
  outcome.connection.session.destroy();
  expect(await callUnary(outcome.connection, METHOD, deadline)).toEqual({
    kind: "closed",
    unprocessed: true,
  });
  outcome.connection.close();
  deadline.clear();
  await waitUntil(() => driver.connections.open === 0, "the driver to see the connection's end");
});

async function call(name: BehaviourName, timeoutMs = TIMEOUT_MS): Promise<CallOutcome> {
  await using driver = await startHostileDriver(name);
  // Awaited, or the driver would be gone before the call.
  return await callAt(driver.socketPath, timeoutMs);
}

async function callAt(socketPath: string, timeoutMs: number): Promise<CallOutcome> {
  const deadline = new Deadline(timeoutMs);
  const outcome = await openConnection(socketPath, deadline);
  try {
    if (outcome.kind !== "connected") throw new Error(`not connected but ${outcome.kind}`);
    return await callUnary(outcome.connection, METHOD, deadline);
  } finally {
    if (outcome.kind === "connected") outcome.connection.close();
    deadline.clear();
  }
}
