import { describe, expect, test } from "bun:test";
import type { DriverMode } from "../support/driver-protocol";
import { startDriver } from "../support/drivers";
import type { HostileName } from "../support/hostile-behaviours";
import { startHostileDriver } from "../support/hostile-driver";
import { startSidecar } from "../support/sidecar";
import { type SocketCaseName, createSocketCase } from "../support/socket-cases";

const TIMEOUT_MS = 1_000;

describe.concurrent("what a driver says is answered at once, in the Go sidecar's words", () => {
  test.each<[string, DriverMode, number, string]>([
    ["it is ready", "ready", 200, "ok"],
    ["it does not say whether it is ready", "absent", 200, "ok"],
    ["it is not ready, as most libraries write it", "notready-empty", 500, "driver responded but is not ready"],
    ["it is not ready, written out", "notready", 500, "driver responded but is not ready"],
    ["a status", "status 13 m13", 500, "rpc error: code = Internal desc = m13"],
    ["a status without a text", "status 14 ", 500, "rpc error: code = Unavailable desc = "],
    ["that it has no Probe", "status 12 no", 500, "rpc error: code = Unimplemented desc = no"],
    ["Canceled, in Go's spelling", "status 1 gone", 500, "rpc error: code = Canceled desc = gone"],
  ])("%s", async (_, mode, status, body) => {
    await using driver = await startDriver("grpc-js", { mode });
    await using sidecar = await startSidecar(["--health-port=0", "--csi-address", driver.socketPath]);
    const response = await sidecar.get("/healthz");
    expect({
      status: response.status,
      type: response.headers.get("content-type"),
      body: await response.text(),
    }).toEqual({
      status,
      type: "text/plain; charset=utf-8",
      body,
    });
  });
});

describe.concurrent("/livez and /readyz tell a driver that initialises from one that is dead", () => {
  test.each<[string, DriverMode, Readonly<Record<string, number>>]>([
    ["it is ready", "ready", { "/livez": 200, "/readyz": 200, "/healthz": 200 }],
    ["it is not ready", "notready", { "/livez": 200, "/readyz": 500, "/healthz": 500 }],
    ["it answers with a status", "status 13 m13", { "/livez": 500, "/readyz": 500, "/healthz": 500 }],
    ["it hangs", "hang", { "/livez": 500, "/readyz": 500, "/healthz": 500 }],
  ])("%s", async (_, mode, statuses) => {
    await using driver = await startDriver("grpc-js", { mode });
    await using sidecar = await startSidecar([
      "--health-port=0",
      "--probe-timeout=1s",
      `--csi-address=${driver.socketPath}`,
    ]);
    const asked = Object.keys(statuses).map(async (path) => [path, (await sidecar.get(path)).status] as const);
    expect(Object.fromEntries(await Promise.all(asked))).toEqual(statuses);
  });
});

describe.concurrent("a driver's answer that is an RPC error", () => {
  test.each<[string, HostileName, string]>([
    ["a code that nobody knows", "answers grpc-status 99", "rpc error: code = Code(99) desc = made up"],
    [
      "a code that is no number",
      "answers grpc-status abc",
      'rpc error: code = Unknown desc = malformed grpc-status "abc"',
    ],
    ["a code that is negative", "answers grpc-status -1", "rpc error: code = Code(4294967295) desc = "],
    [
      "no message",
      "answers grpc-status 0 without a message",
      "rpc error: code = Internal desc = status OK without a message",
    ],
    ["two messages", "answers two messages", "rpc error: code = Internal desc = more than one message"],
    [
      "over 64 KiB, where the Go sidecar takes 4 MiB",
      "answers a message of 65,537 bytes",
      "rpc error: code = ResourceExhausted desc = Received message larger than max (65537 vs 65536)",
    ],
    [
      "3 MB, which the Go sidecar takes for ready",
      "answers a message of 3 MB",
      "rpc error: code = ResourceExhausted desc = Received message larger than max (3145728 vs 65536)",
    ],
    [
      "a text of several lines, which unlike the Go sidecar's body stays one",
      "answers a grpc-message with percent-encoded newlines",
      String.raw`rpc error: code = Internal desc = one\ntwo\r\nthree`,
    ],
    [
      "a text that steers terminals, which unlike in the Go sidecar's body is escaped",
      "answers a grpc-message with ANSI escapes",
      String.raw`rpc error: code = Internal desc = \x1b[31mred\x1b[0m\x1b]0;title\a`,
    ],
    [
      "a text of 8 KB, which unlike in the Go sidecar's body is cut at 1 KiB",
      "answers a grpc-message of 8 KB",
      `rpc error: code = Internal desc = ${"m".repeat(1_021)}…`,
    ],
  ])("%s", async (_, hostile, body) => {
    await using driver = await startHostileDriver(hostile);
    await using sidecar = await startSidecar(["--health-port=0", "--csi-address", driver.socketPath]);
    const response = await sidecar.get("/healthz");
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 500, body });
  });
});

describe.concurrent(
  "unlike the Go sidecar's, a connection lost in mid-call names no code but says what happened, at once",
  () => {
    test.each<[HostileName]>([
      ["loses the connection mid-call"],
      ["closes after SETTINGS"],
      ["sends GOAWAY after SETTINGS"],
      ["sends GOAWAY after SETTINGS and closes"],
    ])("a driver that %s", async (hostile) => {
      await using driver = await startHostileDriver(hostile);
      await using sidecar = await startSidecar(["--health-port=0", "--csi-address", driver.socketPath]);
      const response = await sidecar.get("/healthz");
      expect({ status: response.status, body: masked(await response.text(), driver.socketPath) }).toEqual({
        status: 500,
        body: "connection closed: the driver closed its connection on SOCKET in the middle of the call (after TIME); see the driver's log",
      });
    });
  },
);

describe.concurrent(
  "unlike the Go sidecar, which calls each of these `context deadline exceeded`, it says why after the whole timeout",
  () => {
    test.each<[HostileName, string]>([
      [
        "takes the request and never answers",
        "driver hung: HTTP/2 is up on SOCKET, but Identity/Probe was not answered within TIME; see the driver's log, or raise --probe-timeout if it needs longer",
      ],
      [
        "accepts and never answers",
        "driver hung: it took the connection on SOCKET but did not begin to speak HTTP/2 within TIME; its process is stopped, deadlocked or starved",
      ],
      [
        "accepts and closes at once",
        "connection closed: the driver closes each connection to SOCKET before it has said anything in HTTP/2 (tried for TIME); see the driver's log",
      ],
      [
        "speaks HTTP/1.1",
        "not gRPC: what listens on SOCKET does not speak HTTP/2 (tried for TIME); is this the CSI driver's socket?",
      ],
      [
        "sends garbage",
        "not gRPC: what listens on SOCKET does not speak HTTP/2 (tried for TIME); is this the CSI driver's socket?",
      ],
    ])("a driver that %s", async (hostile, body) => {
      await using driver = await startHostileDriver(hostile);
      expect(await probeOf(driver.socketPath)).toEqual({ status: 500, body, inTime: true });
    });

    test.each<[SocketCaseName, RegExp]>([
      ["a missing file", /^no such file: SOCKET does not exist \(tried for TIME\); is the driver running, /],
      ["a stale socket", /^nobody listens: SOCKET is there but refuses connections \(tried for TIME\); /],
      ["a regular file", /^not a socket: SOCKET is a regular file \(tried for TIME\); /],
      ["a directory", /^not a socket: SOCKET is a directory \(tried for TIME\); /],
    ])("%s", async (name, body) => {
      await using place = await createSocketCase(name);
      const { inTime, body: seen } = await probeOf(place.path);
      expect({ inTime, seen }).toEqual({ inTime: true, seen: expect.stringMatching(body) });
    });
  },
);

/**
 * One probe's answer, with what differs from run to run masked, and whether it took its whole timeout and not much
 * more.
 */
async function probeOf(socketPath: string) {
  const flags = ["--health-port=0", `--probe-timeout=${TIMEOUT_MS}ms`, "--csi-address", socketPath];
  await using sidecar = await startSidecar(flags);
  const start = performance.now();
  const response = await sidecar.get("/healthz");
  const elapsedMs = performance.now() - start;
  return {
    status: response.status,
    body: masked(await response.text(), socketPath),
    inTime: elapsedMs >= TIMEOUT_MS && elapsedMs < TIMEOUT_MS + 2_000,
  };
}

function masked(body: string, socketPath: string): string {
  return body.replaceAll(socketPath, "SOCKET").replace(/(after|within|tried for) \d[\d.]*m?s\b/g, "$1 TIME");
}
