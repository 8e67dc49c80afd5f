import { describe, expect, test } from "bun:test";
import npd from "../../deploy/examples/node-problem-detector/csi-driver.json";
import { type Implementation, startDriver } from "../support/drivers";
import { runSidecar } from "../support/sidecar";
import { NOBODY_UID, type SocketCaseName, createSocketCase } from "../support/socket-cases";

const [rule] = npd.rules;
const WORDS = rule?.args.slice(0, -1) ?? [];

/** What node-problem-detector makes of a custom plugin's run: 0 is fine, 1 a problem, and all else unknown. */
async function report(address: string, uid?: number) {
  const { code, stdout } = await runSidecar([...WORDS, address], uid === undefined ? {} : { uid });
  expect(Buffer.byteLength(stdout.trim())).toBeLessThanOrEqual(npd.pluginConfig.max_output_length);
  expect(stdout).toMatch(/^[^\n]+\n$/);
  return { status: code === 0 ? "fine" : code === 1 ? "problem" : "unknown", message: stdout.trim() };
}

describe.concurrent("to node-problem-detector, by the example's rule", () => {
  const implementation: Implementation = "grpc-js";

  test.each([
    ["a ready driver is fine", "ready", "fine", "ready: "],
    ["one that is not ready is a problem", "notready", "problem", "not ready: "],
    ["one that fails is a problem", "status 13 out of disk", "problem", "rpc error: code = Internal"],
    ["one that hangs is a problem", "hang", "problem", "driver hung: "],
  ] as const)("%s", async (_, mode, status, message) => {
    await using driver = await startDriver(implementation, { mode });
    const reported = await report(driver.socketPath);
    expect(reported.status).toBe(status);
    expect(reported.message).toStartWith(message);
  });

  test.each<readonly [string, SocketCaseName, string]>([
    ["a missing socket is a problem", "a missing file", "no such file: "],
    ["a socket that nobody listens on is a problem", "a stale socket", "nobody listens: "],
  ])("%s", async (_, name, message) => {
    await using place = await createSocketCase(name);
    const reported = await report(place.path);
    expect(reported.status).toBe("problem");
    expect(reported.message).toStartWith(message);
  });

  test.if(process.getuid?.() === 0)("a socket that it may not connect to is unknown", async () => {
    await using place = await createSocketCase("root's socket with mode 0755");
    const reported = await report(place.path, NOBODY_UID);
    expect(reported.status).toBe("unknown");
    expect(reported.message).toStartWith("permission denied: ");
  });
});

describe.concurrent(
  "a check for node-problem-detector that cannot be made is unknown, with the reason on both streams",
  () => {
    test.each([
      ["a flag that there is not", ["--exit-codes=npd", "--bogus"], "flag provided but not defined: -bogus"],
      ["a value that is not valid", ["-exit-codes=npd", "--wait=-1s"], '--wait must not be negative, got "-1s"'],
      ["a driver that is not here", ["--exit-codes", "npd", "no.such.csi"], 'there is no driver "no.such.csi" here'],
    ])("%s", async (_, words, message) => {
      const { code, stdout, stderr } = await runSidecar(["check", ...words]);
      expect(code).toBe(2);
      expect(stdout).toStartWith(message);
      expect(stderr).toStartWith(message);
    });
  },
);

test("other exit codes than these two are refused", async () => {
  expect(await runSidecar(["check", "--exit-codes=nagios", "/a"])).toMatchObject({
    code: 1,
    stdout: "",
    stderr: '--exit-codes must be standard or npd, got "nagios"\n',
  });
});
