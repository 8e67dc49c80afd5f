import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyExecutable } from "../support/executable";
import { type Implementation, availableDrivers, startDriver } from "../support/drivers";
import type { HostileName } from "../support/hostile-behaviours";
import { startHostileDriver } from "../support/hostile-driver";
import { runSidecar } from "../support/sidecar";
import { NOBODY_UID, type SocketCaseName, createSocketCase } from "../support/socket-cases";
import { type TemporaryDirectory, temporaryDirectory } from "../../scripts/temporary";

const isRoot = process.getuid?.() === 0;
const implementations = await availableDrivers();

let directory: TemporaryDirectory;
let executable = "";
beforeAll(() => {
  directory = temporaryDirectory();
  executable = copyExecutable(directory.path);
});
afterAll(() => directory[Symbol.dispose]());

const check = (args: readonly string[], uid?: number) =>
  runSidecar(["check", ...args], { executable, ...(uid === undefined ? {} : { uid }) });

describe.concurrent.each(implementations)("a driver on %s", (implementation: Implementation) => {
  test.each([
    ["that is ready: exit code 0", "ready", 0, /^ready: PATH \(connect [\d.]+ms, call [\d.]+ms\)\n$/],
    ["that does not say: exit code 0", "absent", 0, /^ready: PATH /],
    ["that is not: exit code 4", "notready", 4, /^not ready: the driver on PATH responded but is not ready \(connect /],
    ["that fails: exit code 3", "status 13 out of disk", 3, /^rpc error: code = Internal desc = out of disk\n$/],
    ["that hangs: exit code 3", "hang", 3, /^driver hung: HTTP\/2 is up on PATH, but Identity\/Probe was not answered/],
  ] as const)("%s", async (_, mode, code, line) => {
    await using driver = await startDriver(implementation, { mode });
    const ran = await check([driver.socketPath, "--probe-timeout=1s"]);
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code, stderr: "" });
    expect(ran.stdout.replaceAll(driver.socketPath, "PATH")).toMatch(line);
  });
});

describe("where connect(2) fails: exit code 2, at once", () => {
  test.concurrent.each<readonly [SocketCaseName, string]>([
    ["a missing file", "no such file: PATH does not exist"],
    ["a regular file", "not a socket: PATH is a regular file"],
    ["a stale socket", "nobody listens: PATH "],
  ])("%s", async (name, line) => {
    await using place = await createSocketCase(name);
    // The bound of the test is shorter: it is not waited for.
    const ran = await check([place.path, "--probe-timeout=10m"]);
    expect(ran).toMatchObject({ code: 2, stderr: "" });
    expect(ran.stdout.replaceAll(place.path, "PATH")).toStartWith(line);
  });

  test.if(isRoot).concurrent("a socket that is not ours to write", async () => {
    await using place = await createSocketCase("root's socket with mode 0755");
    const ran = await check([place.path], NOBODY_UID);
    expect(ran).toMatchObject({ code: 2, stderr: "" });
    expect(ran.stdout).toStartWith("permission denied: ");
  });
});

describe("where what listens is no driver that answers: exit code 3", () => {
  test.concurrent.each<readonly [HostileName, string]>([
    ["accepts and never answers", "driver hung: it took the connection"],
    ["accepts and closes at once", "connection closed: "],
    ["speaks HTTP/1.1", "not gRPC: "],
  ])("%s", async (name, line) => {
    await using driver = await startHostileDriver(name);
    const ran = await check([driver.socketPath, "--probe-timeout=500ms"]);
    expect(ran).toMatchObject({ code: 3, stderr: "" });
    expect(ran.stdout).toStartWith(line);
  });
});

describe("where somebody listens, and nobody can connect: exit code 3, at once", () => {
  test.concurrent.each<readonly [SocketCaseName, string]>([
    ["a datagram socket", "not gRPC: PATH is a datagram or seqpacket socket"],
    ["a socket whose backlog is full", "driver hung: it listens on PATH "],
  ])("%s", async (name, line) => {
    await using place = await createSocketCase(name);
    const ran = await check([place.path, "--probe-timeout=10m"]);
    expect(ran).toMatchObject({ code: 3, stderr: "" });
    expect(ran.stdout.replaceAll(place.path, "PATH")).toStartWith(line);
  });
});

describe("--wait", () => {
  test("asks until the driver is ready, and tells on standard error what it waits for", async () => {
    await using driver = await startDriver("grpc-js", { mode: "notready" });
    const running = check([`--csi-address=unix://${driver.socketPath}`, "--wait=25s"]);
    await driver.waitFor(({ event }) => event === "rpc");
    await driver.send("mode ready");
    const ran = await running;
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining("ready: ") });
    expect(ran.stderr).toMatch(/^waiting: not ready: the driver on \S+ responded but is not ready \(.*\)\n$/);
  });

  test("tells what it waits for once, not at each try", async () => {
    await using place = await createSocketCase("a missing file");
    const { stderr } = await check([place.path, "--wait=1700ms"]);
    expect(stderr.split("\n").filter((line) => line.startsWith("waiting: "))).toHaveLength(1);
  });

  test("gives the last result when its time is over, and says for how long it was tried", async () => {
    await using place = await createSocketCase("a missing file");
    const ran = await check([place.path, "--wait=2s"]);
    expect(ran.code).toBe(2);
    expect(ran.stdout).toMatch(/^no such file: .* \(tried for [1-9][\d.]*s\);/);
  });

  test("says what to look at, and no flag that was not given", async () => {
    await using place = await createSocketCase("a regular file");
    const { stdout } = await check([place.path]);
    expect(stdout).toEndWith("; is this the CSI driver's socket?\n");
  });
});

test("-o json has the same in fields", async () => {
  await using driver = await startDriver("grpc-js", { mode: "status 13 out of disk" });
  const { code, stdout } = await check([driver.socketPath, "-o", "json"]);
  expect({ code, document: JSON.parse(stdout) }).toEqual({
    code: 3,
    document: {
      apiVersion: "livenessprobe/v1",
      kind: "ProbeResult",
      socket: driver.socketPath,
      state: "failed",
      reason: "rpc_error",
      message: "rpc error: code = Internal desc = out of disk",
      elapsedMs: expect.any(Number),
      connectMs: expect.any(Number),
      callMs: expect.any(Number),
    },
  });
});

test("-o json steers no terminal, whatever the path has", async () => {
  const { code, stdout } = await check(["/tmp/\u202egnp.sock", "-o", "json"]);
  expect({ code, socket: JSON.parse(stdout).socket }).toEqual({ code: 2, socket: "/tmp/\u202egnp.sock" });
  expect(stdout).toMatch(/^[ -~\n]+$/);
});

describe.concurrent("what cannot work is refused in a line, exit code 1", () => {
  test.each([
    [
      "an address that is no path",
      ["--csi-address=csi.sock"],
      '--csi-address must be an absolute path, got "csi.sock"',
    ],
    ["an operand that is no absolute path", ["./csi.sock"], 'ADDRESS must be an absolute path, got "./csi.sock"'],
    ["the name of a socket's file", ["csi.sock"], 'ADDRESS must be an absolute path, got "csi.sock"'],
    ["an operand of nothing", [""], 'ADDRESS must not be empty, got ""'],
    ["one of another kind", ["tcp://127.0.0.1:5"], 'ADDRESS must be a unix socket, got "tcp://127.0.0.1:5"'],
    [
      "a driver and an address",
      ["a.csi", "--csi-address=/b"],
      'the driver is given twice: "a.csi" and --csi-address "/b"',
    ],
    ["two addresses", ["/a", "--csi-address=/b"], 'the address is given twice: "/a" and --csi-address "/b"'],
    ["a format that there is not", ["-o", "xml"], '--output must be table or json, got "xml"'],
    ["a time that is past", ["--wait=-1s"], '--wait must not be negative, got "-1s"'],
    ["no time at all", ["--probe-timeout=0s"], '--probe-timeout must be greater than zero, got "0s"'],
  ])("%s", async (_, args, line) => {
    expect(await check(args)).toMatchObject({ code: 1, stdout: "", stderr: `${line}\n` });
  });
});
