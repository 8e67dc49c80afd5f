import { describe, expect, test } from "bun:test";
import type { NotGrpc, Unanswered } from "../../src/grpc/call-outcome";
import type { ConnectFailure, Unreadable } from "../../src/grpc/connection";
import { StatusCode } from "../../src/grpc/status";
import {
  type Attempt,
  diagnose,
  diagnoseInternal,
  type Diagnosis,
  type FailureReason,
  MAX_DRIVER_TEXT_BYTES,
} from "../../src/driver/diagnosis";
import type { Rights } from "../../src/driver/rights";
import type { SocketFile } from "../../src/driver/socket-file";

const NONE: Rights = { uid: 65_532, groups: [65_532], capabilities: [], ownUserNamespace: false };
const SOCKET: SocketFile = { kind: "socket", uid: 0, gid: 7, mode: 0o755, writable: true, rights: NONE };
const ATTEMPT: Attempt = {
  socketPath: "/csi/csi.sock",
  rpcPath: "/csi.v1.Identity/Probe",
  elapsedMs: 3_001.2,
  socketFile: () => SOCKET,
};

describe("connect(2) that failed is told by its code and by what the file system says:", () => {
  test.each<[string, string, SocketFile, FailureReason, readonly string[]]>([
    ["no file", "ENOENT", { kind: "missing", missingDirectory: undefined }, "socket_missing", ["does not exist"]],
    [
      "no file, though Bun says refused",
      "ECONNREFUSED",
      { kind: "missing", missingDirectory: undefined },
      "socket_missing",
      ["does not exist"],
    ],
    [
      "no directory",
      "ENOENT",
      { kind: "missing", missingDirectory: "/csi" },
      "socket_missing",
      ["nor does its directory /csi"],
    ],
    [
      "a dangling link",
      "ENOENT",
      { kind: "danglingLink" },
      "socket_missing",
      ["symbolic link to a file that does not exist"],
    ],
    ["a file that has come back since", "ENOENT", SOCKET, "socket_missing", ["did not exist until a moment ago"]],
    ["a stale socket", "ECONNREFUSED", SOCKET, "nobody_listens", ["has stopped, or does not listen yet"]],
    ["a full queue", "EAGAIN", SOCKET, "hung", ["accepts no connections", "its queue of connections is full"]],
    ["a datagram socket", "EPROTOTYPE", SOCKET, "not_grpc", ["is a datagram or seqpacket socket"]],
    [
      "a regular file",
      "ECONNREFUSED",
      { kind: "notASocket", type: "regular file" },
      "not_a_socket",
      ["is a regular file", "is this the CSI driver's socket?"],
    ],
    [
      "a closed directory",
      "ECONNREFUSED",
      { kind: "unreachable", directory: { path: "/csi", uid: 0, gid: 0, mode: 0o700 }, rights: NONE },
      "permission_denied",
      ["the directory /csi belongs to uid 0 and gid 0 with mode 0700", "uid 65532 needs search permission (x)"],
    ],
    [
      "a broken mount, which is no driver's fault",
      "ECONNREFUSED",
      { kind: "hidden", code: "EIO" },
      "internal",
      ["the file system fails with EIO"],
    ],
    [
      "a closed directory, where connect(2) says so",
      "EACCES",
      { kind: "unreachable", directory: undefined, rights: NONE },
      "permission_denied",
      ["a directory on the way, behind a symbolic link, denies it"],
    ],
    [
      "a socket of another's",
      "EACCES",
      { ...SOCKET, writable: false },
      "permission_denied",
      ["uid 0 and gid 7", "mode 0755", "uid 65532", "run livenessprobe as uid 0"],
    ],
    [
      "a socket that only a security module closes",
      "EACCES",
      SOCKET,
      "permission_denied",
      ["uid 65532 may connect by its permissions", "SELinux, AppArmor or seccomp"],
    ],
    [
      "a directory that only a security module closes",
      "EACCES",
      { kind: "unreachable", directory: { path: "/csi", uid: 0, gid: 0, mode: 0o755 }, rights: NONE },
      "permission_denied",
      ["uid 65532 may search it by its permissions", "SELinux, AppArmor or seccomp"],
    ],
    [
      "a socket of another's, where the security module refuses access(2) too",
      "EACCES",
      { ...SOCKET, mode: 0o777, writable: false },
      "permission_denied",
      ["uid 65532 may connect by its permissions", "SELinux, AppArmor or seccomp"],
    ],
    // connect(2) asks for write permission before it looks whether it is a socket.
    [
      "a regular file of another's",
      "EACCES",
      { kind: "notASocket", type: "regular file" },
      "not_a_socket",
      ["is a regular file"],
    ],
    ["EPERM", "EPERM", { ...SOCKET, writable: false }, "permission_denied", ["mode 0755"]],
  ])("%s (%s)", (_, code, file, reason, facts) => {
    const diagnosis = diagnoseConnection({ kind: "refused", code }, { ...ATTEMPT, socketFile: () => file });
    expectDiagnosis(diagnosis, reason, ["/csi/csi.sock", ...facts]);
  });

  test.each([
    [0o755, "mode 0755"],
    [0o600, "mode 0600"],
    [0, "mode 0000"],
    [0o4711, "mode 04711"],
  ])("the mode %d is written as %s", (mode, text) => {
    const socketFile = (): SocketFile => ({ ...SOCKET, mode, writable: false });
    expect(diagnoseConnection({ kind: "refused", code: "EACCES" }, { ...ATTEMPT, socketFile }).message).toContain(text);
  });
});

test.each<[ConnectFailure["kind"] & string, FailureReason, string]>([
  ["closed", "closed", "closes each connection"],
  ["notHttp2", "not_grpc", "does not speak HTTP/2"],
  ["silent", "hung", "took the connection"],
])("a connection that came to %s is %s", (kind, reason, fact) => {
  const failure = { kind } as ConnectFailure;
  expectDiagnosis(diagnoseConnection(failure, unlooked()), reason, ["/csi/csi.sock", "3s", fact]);
});

test.each<[string, Exclude<Unanswered, { kind: "status" }>, FailureReason, string]>([
  [
    "HTTP without gRPC is not_grpc",
    notGrpc(404, "text/plain"),
    "not_grpc",
    'HTTP status 404 and content-type "text/plain"',
  ],
  ["an answer of no type is not_grpc", notGrpc(200, undefined), "not_grpc", "HTTP status 200 and no content-type"],
  ["no HTTP status is not_grpc", notGrpc(undefined, "x"), "not_grpc", 'HTTP status missing and content-type "x"'],
  ["a type that steers a terminal is not_grpc", notGrpc(200, "a\u009b1m"), "not_grpc", '"a\\u009b1m"'],
  ["a type that is long is not_grpc", notGrpc(200, "x".repeat(300)), "not_grpc", `"${"x".repeat(124)}… (after`],
  [
    "broken HTTP/2 is not_grpc",
    unreadable("rule"),
    "not_grpc",
    "breaks HTTP/2, or has more headers than livenessprobe reads",
  ],
  [
    "a limit of ours is internal",
    unreadable("limit"),
    "internal",
    "more frames than livenessprobe's HTTP/2 library takes",
  ],
  ["a lost connection is closed", { kind: "closed" }, "closed", "in the middle of the call"],
  ["a timeout is hung", { kind: "timeout" }, "hung", "Identity/Probe was not answered"],
])("a call that came to %s", (_, outcome, reason, fact) => {
  expectDiagnosis(diagnose(outcome, unlooked()), reason, ["/csi/csi.sock", "3s", fact]);
});

describe("a status reads as the Go sidecar's body does, to the letter:", () => {
  test.each([
    [13, "m13", "rpc error: code = Internal desc = m13"],
    [99, "made up", "rpc error: code = Code(99) desc = made up"],
    [2, "", "rpc error: code = Unknown desc = "],
    [14, 'a "quoted" \\ word', 'rpc error: code = Unavailable desc = a "quoted" \\ word'],
    [3, "one\ntwo\r\u001b[31m\u202e", "rpc error: code = InvalidArgument desc = one\\ntwo\\r\\x1b[31m\\u202e"],
  ])("code %d with %p", (code, details, message) => {
    expect(diagnose({ kind: "status", code, details }, unlooked())).toEqual({ reason: "rpc_error", message });
  });

  test("and the driver's own text is cut at 1 KiB", () => {
    const { message } = diagnose({ kind: "status", code: 13, details: "m".repeat(64_000) }, unlooked());
    const text = message.slice("rpc error: code = Internal desc = ".length);
    expect(text).toEndWith("m…");
    expect(Buffer.byteLength(text)).toBe(MAX_DRIVER_TEXT_BYTES);
  });
});

test("a fault of ours is told as ours, on one line", () => {
  expect(diagnoseInternal("out of\npaper", "/csi/csi.sock")).toEqual({
    reason: "internal",
    message: "livenessprobe could not ask the driver on /csi/csi.sock: out of\\npaper",
    notAsked: true,
  });
});

describe("what this process or its machine is short of is told as that, and nothing is said of the driver:", () => {
  test.each([
    ["EMFILE", /: too many open files here: the limit is \d+ \(EMFILE\); raise it \(ulimit -n, nofile\)$/],
    ["ENFILE", /: too many open files on this machine \(ENFILE\); see \/proc\/sys\/fs\/file-nr$/],
    ["ENOMEM", /: out of memory \(ENOMEM\); raise the memory limit of this process$/],
    ["ENOBUFS", /: out of memory \(ENOBUFS\); raise the memory limit of this process$/],
  ])("%s", (code, text) => {
    const expected: Diagnosis = { reason: "internal", message: expect.stringMatching(text), notAsked: true };
    expect(diagnoseConnection({ kind: "shortage", code }, unlooked())).toEqual(expected);
  });
});

test.each([
  [0.4, "0s"],
  [1.5, "2ms"],
  [249.7, "250ms"],
  [3_001.2, "3s"],
  [2_996, "3s"],
  [12_344, "12.34s"],
])("%d ms are told as %s", (elapsedMs, text) => {
  expect(diagnoseConnection({ kind: "silent" }, { ...ATTEMPT, elapsedMs }).message).toContain(`within ${text};`);
});

function diagnoseConnection(failure: ConnectFailure, attempt: Attempt): Diagnosis {
  return diagnose({ kind: "noConnection", failure, elapsedMs: attempt.elapsedMs, connectMs: undefined }, attempt);
}

function expectDiagnosis({ reason, message }: Diagnosis, expected: FailureReason, facts: readonly string[]): void {
  expect(reason).toBe(expected);
  for (const fact of facts) expect(message).toContain(fact);
  expect(message).not.toMatch(/[\r\n]/);
  expect(message).not.toContain("context deadline exceeded");
}

/** Where the file system has nothing to say in the matter, it is not asked. */
function unlooked(): Attempt {
  return {
    ...ATTEMPT,
    socketFile: () => {
      throw new Error("the file system was asked");
    },
  };
}

function notGrpc(httpStatus: number | undefined, contentType: string | undefined): NotGrpc {
  return { kind: "notGrpc", code: StatusCode.unknown, httpStatus, contentType };
}

function unreadable(cause: Unreadable["cause"]): Unreadable {
  return { kind: "unreadable", cause, details: "Protocol error" };
}
