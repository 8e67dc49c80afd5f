import { describe, expect, test } from "bun:test";
import type { Rpc, RpcOutcome } from "../../src/driver/identity";
import type { ProbeResponse } from "../../src/driver/messages";
import { probeOnce, type ProbeOptions } from "../../src/driver/probe";
import type { FailureReason } from "../../src/driver/probe-result";

const TIMING = { elapsedMs: 3, connectMs: 1, rpc: { durationMs: 2, statusCode: 0 } };

test.each([
  ["ready", true],
  ["notReady", false],
] as const)("an answer becomes the result %s, with its timing", async (kind, ready) => {
  const result = await probeOnce(optionsWith(async () => rpc({ kind: "answered", response: { ready } })));
  expect(result).toEqual({ kind, timing: TIMING });
});

describe("what is no answer fails, with its reason and its timing:", () => {
  test.each<[string, RpcOutcome<ProbeResponse>, FailureReason, RegExp]>([
    [
      "no connection",
      { kind: "noConnection", failure: { kind: "silent" } },
      "hung",
      /^driver hung: it took the connection on \/csi\/csi\.sock .* within 3ms;/,
    ],
    [
      "a socket file that is not there",
      { kind: "noConnection", failure: { kind: "refused", code: "ECONNREFUSED" } },
      "socket_missing",
      /^no such file: \/csi\/csi\.sock .* its directory \/csi /,
    ],
    [
      "a call that was not answered",
      { kind: "noAnswer", outcome: { kind: "timeout" } },
      "hung",
      /Identity\/Probe was not answered within 3ms/,
    ],
    [
      "a status",
      { kind: "noAnswer", outcome: { kind: "status", code: 13, details: "m13" } },
      "rpc_error",
      /^rpc error: code = Internal desc = m13$/,
    ],
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
  const message = "internal error of livenessprobe, the driver was not asked: out of\\npaper";
  expect(await probeOnce(optionsWith(probe))).toEqual({
    kind: "failed",
    reason: "internal",
    message,
    timing: { elapsedMs: 0 },
  });
});

test("the file system is asked about the socket's own path, and with our uid", async () => {
  const outcome = { kind: "noConnection", failure: { kind: "refused", code: "EACCES" } } as const;
  const asked: string[] = [];
  const result = await probeOnce({
    ...optionsWith(async () => rpc(outcome)),
    lookAtSocketFile: (path) => {
      asked.push(path);
      const rights = { groups: [], capabilities: [], ownUserNamespace: false };
      return { kind: "socket", uid: 1, gid: 2, mode: 0o700, deniedTo: rights };
    },
  });
  expect(asked).toEqual(["/csi/csi.sock"]);
  expect(result).toMatchObject({ reason: "permission_denied", message: expect.stringContaining("uid 65532") });
});

function optionsWith(probe: () => Promise<Rpc<ProbeResponse>>): ProbeOptions {
  return {
    client: { probe },
    socketPath: "/csi/csi.sock",
    uid: 65_532,
    lookAtSocketFile: () => ({ kind: "missing", missingDirectory: "/csi" }),
  };
}

function rpc(outcome: RpcOutcome<ProbeResponse>): Rpc<ProbeResponse> {
  return { outcome, timing: TIMING };
}
