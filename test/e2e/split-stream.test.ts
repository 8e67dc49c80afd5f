import { describe, expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";
import { type RunningDriver, startDriver } from "../support/drivers";
import { behindShell } from "../support/executable";
import { parseKlog, says } from "../support/log-lines";
import { startSidecar } from "../support/sidecar";
import { waitUntil } from "../support/wait";

// Compared with k8s.io/component-base 0.36.3 with its feature gate LoggingAlphaOptions on: in text a warning goes to
// standard error; in JSON what has a `v` goes to standard output, and our warnings have none.
describe.concurrent.each([
  ["text", "--log-text-split-stream"],
  ["json", "--log-json-split-stream=true"],
])("a split log in %s", (format, flag) => {
  test("has info lines on standard output, warnings and errors on standard error", async () => {
    await using driver = await startDriver("grpc-js", { mode: "status 13 a" });
    const args = [`--logging-format=${format}`, flag, ...common(driver), "word"];
    await using sidecar = await startSidecar(args);
    await sidecar.waitForLog(says("CSI driver name"));
    await sidecar.get("/healthz");
    await sidecar.waitForLog(says("CSI driver failed its probe"));
    await driver.send("mode ready");
    await sidecar.get("/healthz");
    await sidecar.waitForLog(says("CSI driver is ready again"));

    expect(sidecar.outLines.map(messageOf)).toEqual([
      "Starting livenessprobe",
      "Listening",
      "Asking CSI driver for its name",
      "CSI driver name",
      "Probed the CSI driver",
      "Probed the CSI driver",
      "CSI driver is ready again",
    ]);
    expect(sidecar.logLines.map(messageOf)).toEqual([
      "Ignoring what follows the flags: no flag begins there",
      "CSI driver failed its probe",
    ]);
  });
});

describe.concurrent("a split log", () => {
  test("has its errors and answers at once while nobody reads standard output", async () => {
    await using driver = await startDriver("grpc-js");
    await using sidecar = await startSidecar(["--log-text-split-stream", ...common(driver)], { stdout: "unread" });
    for (let count = 0; count < PROBES; count += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each is a probe of its own, with a line of its own
      expect((await sidecar.get("/healthz", { signal: AbortSignal.timeout(KUBELET_BOUND_MS) })).status).toBe(200);
    }
    await driver.send("mode status 13 a");
    await sidecar.get("/healthz");
    await sidecar.waitForLog(says("CSI driver failed its probe"));
    expect(sidecar.logLines).toHaveLength(1);
  });

  test("has its info lines while nobody reads standard error", async () => {
    await using driver = await startDriver("grpc-js", { mode: "status 13 a" });
    using stderr = fullPipe();
    const [words, options] = behindShell(`exec 2>${stderr.path}`, ["--log-text-split-stream", ...common(driver)]);
    await using sidecar = await startSidecar(words, options);
    await sidecar.get("/healthz");
    await driver.send("mode ready");
    expect((await sidecar.get("/healthz")).status).toBe(200);
    await sidecar.waitForLog(says("CSI driver is ready again"));
  });

  test("whose streams are the same file has each line whole, in order", async () => {
    await using driver = await startDriver("grpc-js", { mode: "status 13 a" });
    using directory = temporaryDirectory();
    const path = join(directory.path, "log");
    writeFileSync(path, "");
    const args = ["--log-text-split-stream", ...common(driver), "word"];
    const [words, { executable }] = behindShell(`exec >${path} 2>&1`, args);
    const child = Bun.spawn([executable, ...words], { env: {}, stdio: ["ignore", "ignore", "ignore"] });
    await waitUntil(
      () => readFileSync(path, "utf8").includes("CSI driver name"),
      "the sidecar to have its driver's name",
    );
    child.kill("SIGTERM");
    await child.exited;
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => parseKlog(line).severity).join("")).toMatch(/^WI+$/);
  });
});

test.each([
  ["JSON's flag with text", ["--log-json-split-stream"]],
  ["text's flag with JSON", ["--logging-format=json", "--log-text-split-stream"]],
])("%s has no effect", async (_, flags) => {
  await using driver = await startDriver("grpc-js");
  await using sidecar = await startSidecar([...flags, ...common(driver)]);
  await sidecar.waitForLog(says("CSI driver name"));
  expect(sidecar.outLines).toEqual([]);
  expect(sidecar.logLines.map(messageOf)).toContain("CSI driver name");
});

/** What the kubelet is given by default (`timeoutSeconds: 1`). */
const KUBELET_BOUND_MS = 1_000;
/** Probes whose lines at verbosity 5 fill more than a pair of sockets (208 KiB). */
const PROBES = 2_000;

function common({ socketPath }: RunningDriver): readonly string[] {
  return ["--http-endpoint=127.0.0.1:0", `--csi-address=${socketPath}`, "--v=5"];
}

/** A pipe that takes nothing more and that nobody reads. */
function fullPipe() {
  const directory = temporaryDirectory();
  const path = join(directory.path, "pipe");
  Bun.spawnSync(["mkfifo", path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  expect(() => {
    for (;;) writeSync(fd, "x".repeat(4_096));
  }).toThrow("EAGAIN");
  return {
    path,
    [Symbol.dispose]: () => {
      closeSync(fd);
      directory[Symbol.dispose]();
    },
  };
}

function messageOf(line: string): string {
  return /(?:\] |"msg":)"([^"]+)"/.exec(line)?.[1] ?? line;
}
