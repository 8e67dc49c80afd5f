import { describe, expect, test } from "bun:test";
import type { SingleCall } from "../../src/driver/client";
import type { ProbeResponse } from "../../src/driver/messages";
import type { ConnectFailure } from "../../src/grpc/connection";
import type { FailureReason } from "../../src/driver/diagnosis";
import { probeOnce, type ProbeOptions } from "../../src/driver/probe";

type Outcome = SingleCall<ProbeResponse>["outcome"];

const TIMING = { elapsedMs: 3, connectMs: 1, rpc: { durationMs: 2, statusCode: 0 } };

test.each([
  ["ready", true],
  ["notReady", false],
] as const)("an answer becomes the result %s, with its timing", async (kind, ready) => {
  const result = await probeOnce(optionsWith(async () => rpc({ kind: "answered", response: { ready } })));
  expect(result).toEqual({ kind, timing: TIMING });
});

describe("what is no answer fails, with its reason and its timing:", () => {
  test.each<[string, Outcome, FailureReason, RegExp]>([
    [
      "no connection",
      noConnection({ kind: "silent" }),
      "hung",
      /^driver hung: it took the connection on \/csi\/csi\.sock .* within 3ms;/,
    ],
    [
      "a socket file that is not there",
      noConnection({ kind: "refused", code: "ECONNREFUSED" }),
      "socket_missing",
      /^no such file: \/csi\/csi\.sock .* its directory \/csi /,
    ],
    ["a call that was not answered", { kind: "timeout" }, "hung", /Identity\/Probe was not answered within 3ms/],
    ["a status", { kind: "status", code: 13, details: "m13" }, "rpc_error", /^rpc error: code = Internal desc = m13$/],
  ])("%s", async (_, outcome, reason, message) => {
    const result = await probeOnce(optionsWith(async () => rpc(outcome)));
    expect(result).toEqual({ kind: "failed", reason, message: expect.stringMatching(message), timing: TIMING });
  });
});

test.each([
  ["rejects", async () => Promise.reject(new Error("out of\npaper"))],
  [
    "throws",
    () => {
      throw new Error("out of\npaper");
    },
  ],
] as const)("a client that %s is a fault of ours, and never the driver's", async (_, probe) => {
  const message = "livenessprobe could not ask the driver on /csi/csi.sock: out of\\npaper";
  expect(await probeOnce(optionsWith(probe))).toEqual({
    kind: "failed",
    reason: "internal",
    message,
    notAsked: true,
    timing: { elapsedMs: 0 },
  });
});

test("the file system is asked where it tells more, and the message is for our uid", async () => {
  const outcome = noConnection({ kind: "refused", code: "EACCES" });
  const result = await probeOnce({
    ...optionsWith(async () => rpc(outcome)),
    socketFile: () => {
      const rights = { uid: 65_532, groups: [], capabilities: [], ownUserNamespace: false };
      return { kind: "socket", uid: 1, gid: 2, mode: 0o700, writable: false, rights };
    },
  });
  expect(result).toMatchObject({ reason: "permission_denied", message: expect.stringContaining("uid 65532") });
});

function optionsWith(probe: () => Promise<SingleCall<ProbeResponse>>): ProbeOptions {
  return {
    probe,
    socketPath: "/csi/csi.sock",
    socketFile: () => ({ kind: "missing", missingDirectory: "/csi" }),
  };
}

function noConnection(failure: ConnectFailure): Outcome {
  return { kind: "noConnection", failure, elapsedMs: 3, connectMs: undefined };
}

function rpc(outcome: Outcome): SingleCall<ProbeResponse> {
  return { outcome, timing: TIMING };
}
