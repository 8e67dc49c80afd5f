import { describe, expect, test } from "bun:test";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { behindShell } from "../support/executable";
import { startRecordingDriver, type RecordingDriver } from "../support/recording-driver";
import { startSidecar } from "../support/sidecar";
import { freePort } from "../support/tcp-client";
import { temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "../support/wait";

/** What the kubelet is given by default (`timeoutSeconds: 1`). */
const KUBELET_BOUND_MS = 1_000;
/** Probes whose lines at verbosity 5 fill more than a pipe (64 KiB) and a pair of sockets (208 KiB). */
const PROBES = 2_000;
const PIPE_BYTES = 65_536;
const SPLIT = "--log-text-split-stream";

describe.concurrent("/healthz goes on where standard error is", () => {
  test("a socket that nobody reads", async () => {
    await using driver = await startRecordingDriver();
    const args = ["--http-endpoint=127.0.0.1:0", `--csi-address=${driver.socketPath}`, "--v=5"];
    await using sidecar = await startSidecar(args, { stderr: "unread" });
    await expectHealthz(sidecar.url, PROBES);
    sidecar.signal("SIGTERM");
  });

  test("a pipe that nobody reads, which then holds whole lines", async () => {
    await using driver = await startRecordingDriver();
    using directory = temporaryDirectory();
    const path = join(directory.path, "stderr");
    Bun.spawnSync(["mkfifo", path]);
    // For reading and writing, since a pipe that nobody has open for reading cannot be opened for writing.
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    await using sidecar = await startSilent(`exec 2>${path}`, driver, []);
    await expectHealthz(sidecar.url, PROBES);
    const text = readAll(fd);
    closeSync(fd);
    expect(text.length).toBeGreaterThan(PIPE_BYTES / 2);
    const lines = text.split("\n").slice(0, -1);
    expect(lines.filter((line) => !/^[IWE]\d{4} [\d:.]+ +\d+ \S+:\d+\] "/.test(line))).toEqual([]);
  });

  test.each<[string, string, string[]]>([
    ["closed", "exec 2>&-", []],
    ["a device that is full", "exec 2>/dev/full", []],
    ["a pipe whose reader is gone", "exec 2>READER_GONE", []],
    ["nowhere, and so are standard input and output", "exec 0<&- 1>&- 2>&-", []],
    ["open, and standard output, which has the info lines, is closed", "exec 1>&-", [SPLIT]],
    ["open, and standard output, which has the info lines, is full", "exec 1>/dev/full", [SPLIT]],
    ["open, and the reader of standard output, which has the info lines, is gone", "exec 1>READER_GONE", [SPLIT]],
    ["closed, and so is standard output, which has the info lines", "exec 1>&- 2>&-", [SPLIT]],
  ])("%s", async (_, redirect, flags) => {
    await using driver = await startRecordingDriver();
    using directory = temporaryDirectory();
    const path = join(directory.path, "stderr");
    Bun.spawnSync(["mkfifo", path]);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    await using sidecar = await startSilent(redirect.replace("READER_GONE", path), driver, flags);
    closeSync(reader);
    await expectHealthz(sidecar.url, 50);
  });
});

describe.concurrent("what ends a command is on standard error", () => {
  const long = "x".repeat(120_000);
  test.each<[string, readonly string[], number, RegExp]>([
    ["a flag that serve does not have", [`--${long}`], 2, /x{120000}; see /],
    ["a flag that check does not have", ["check", `--${long}`], 1, /x{120000}; see /],
    ["a value that cannot work", [`--csi-address=/${long}`], 1, /x{120000}\\"/],
  ])("whole, where a pipe is read slowly: %s", async (_, args, code, pattern) => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "stderr");
    Bun.spawnSync(["mkfifo", path]);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const child = spawnBehind(`exec 2>${path}`, args);
    let ended = false;
    void child.exited.then(() => (ended = true));
    let text = "";
    // What is in the pipe when the command has ended is read by the look that follows.
    await waitUntil(() => {
      const last = ended;
      const piece = readSome(reader, last ? 1 << 20 : 4_096);
      text += piece;
      return last && piece === "";
    }, "the command to end");
    closeSync(reader);
    expect(await child.exited).toBe(code);
    expect(text).toMatch(pattern);
    expect(text).toEndWith("\n");
  });

  test.each([
    ["a device that is full", "exec 2>/dev/full"],
    ["closed", "exec 2>&-"],
  ])("or nowhere, where that is %s: the exit code is the same", async (_, redirect) => {
    expect(await spawnBehind(redirect, ["--bogus"]).exited).toBe(2);
    expect(await spawnBehind(redirect, ["--csi-address="]).exited).toBe(1);
  });
});

function spawnBehind(commands: string, args: readonly string[]) {
  const [words, { executable }] = behindShell(commands, args);
  return Bun.spawn([executable, ...words], { env: {}, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
}

async function expectHealthz(url: string, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each is a probe of its own, with a line of its own
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(KUBELET_BOUND_MS) });
    // oxlint-disable-next-line no-await-in-loop
    if ((await response.text()) !== "ok") throw new Error(`request ${count} was answered with ${response.status}`);
  }
  expect(times).toBeGreaterThan(0);
}

/** A sidecar that cannot say where it listens. */
async function startSilent(commands: string, driver: RecordingDriver, flags: readonly string[]) {
  const port = await freePort();
  const [args, { executable }] = behindShell(commands, [
    `--http-endpoint=127.0.0.1:${port}`,
    `--csi-address=${driver.socketPath}`,
    "--v=5",
    ...flags,
  ]);
  const child = Bun.spawn([executable, ...args], { env: {}, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  const dispose = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  const answers = () =>
    fetch(url).then(
      () => true,
      () => false,
    );
  await waitUntil(answers, "a sidecar that says nothing to listen").catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  return { url, [Symbol.asyncDispose]: dispose };
}

/** What a pipe holds, at most so many bytes of it. */
function readSome(fd: number, bytes: number): string {
  const buffer = Buffer.alloc(bytes);
  try {
    return buffer.toString("utf8", 0, readSync(fd, buffer, 0, bytes, null));
  } catch {
    // EAGAIN: it is empty.
    return "";
  }
}

/** All that a pipe holds. */
function readAll(fd: number): string {
  const buffer = Buffer.alloc(1 << 20);
  let length = 0;
  try {
    for (;;) length += readSync(fd, buffer, length, buffer.length - length, null);
  } catch {
    // EAGAIN: it is empty.
  }
  return buffer.toString("utf8", 0, length);
}
