import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type AllowListDriver, startAllowListDriver } from "../support/allow-list-driver";
import { EXECUTABLE } from "../support/executable";
import { type MadeNode, makeKubeletRoot, makeNode } from "../support/made-node";
import { findUnshare } from "../support/process-one";
import { startInPty, screenOf } from "../support/pty";
import { waitUntil } from "../support/wait";

// Processes start slowly on a busy machine.
setDefaultTimeout(60_000);

const PLUGINS = "/var/lib/kubelet/plugins";
const SOCKET = `${PLUGINS}/a.csi/csi.sock`;
/** Of all that is waited for, unless a signal ends it. */
const TIMEOUT = "--probe-timeout=10m";
/** The promise is 100 ms; the rest is for a busy machine. */
const AT_ONCE_MS = 5_000;

const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const;

const COMMANDS: readonly (readonly [string, (place: Place) => readonly string[]])[] = [
  ["check", ({ driver }) => ["check", driver.socketPath, TIMEOUT]],
  ["check --wait", ({ driver }) => ["check", driver.socketPath, TIMEOUT, "--wait=10m"]],
  ["list", ({ node }) => ["list", "--root", node.rootDir, TIMEOUT]],
  ["inspect of a socket", ({ node }) => ["inspect", SOCKET, "--root", node.rootDir, TIMEOUT]],
  ["inspect of a name", ({ node }) => ["inspect", "a.csi", "--root", node.rootDir, TIMEOUT]],
];

describe.concurrent.each(SIGNALS)("%s, while a driver hangs,", (signal, code) => {
  test.each(COMMANDS)("ends %s at once, with nothing said and the connection closed", async (_, wordsOf) => {
    await using place = await hangingPlace();
    const child = Bun.spawn([EXECUTABLE, ...wordsOf(place)], { env: {}, stdout: "pipe", stderr: "pipe" });
    await waitUntil(() => place.driver.counts.open > 0, "the connection");
    const elapsedMs = await endingBy(child, signal);
    expect({ code: child.exitCode, out: await child.stdout.text(), err: await child.stderr.text() }).toEqual({
      code,
      out: "",
      err: "",
    });
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
    await waitUntil(() => place.driver.counts.open === 0, "the connection's end");
  });

  test.each([
    ["list", ["list"], "asked 0 of 1 drivers ..."],
    ["inspect", ["inspect", SOCKET], "waiting for Probe ..."],
  ])("erases the progress line of %s", async (_, command, line) => {
    await using place = await hangingPlace();
    const words = [EXECUTABLE, ...command, "--root", place.node.rootDir, TIMEOUT];
    const running = startInPty(words, { columns: 80 });
    await waitUntil(() => running.output().includes(line), "the progress line");
    process.kill(running.pid, signal);
    const ran = await running.ended;
    expect({ code: ran.code, screen: screenOf(ran.output).trim() }).toEqual({ code, screen: "" });
  });

  test("ends a command whose output nobody reads", async () => {
    await using node = makeNode();
    makeKubeletRoot(node);
    // More than a pipe holds.
    for (let index = 0; index < 300; index += 1) node.staleSocket(`${PLUGINS}/stale${index}.csi/csi.sock`);
    node.fifo("/out");
    const script = 'exec "$@" >"$0"';
    const words = ["sh", "-c", script, node.outer("/out"), EXECUTABLE, "list", "--root", node.rootDir, "-o", "json"];
    const child = Bun.spawn(words, { env: { PATH: process.env["PATH"] ?? "" }, stderr: "ignore" });
    const reading = 'exec <"$0"; head -c 1; exec sleep 600';
    const reader = Bun.spawn(["sh", "-c", reading, node.outer("/out")], { stdout: "pipe" });
    // What follows the first byte fills the pipe.
    await reader.stdout.getReader().read();
    const elapsedMs = await endingBy(child, signal);
    reader.kill("SIGKILL");
    expect(child.exitCode).toBe(code);
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
  });
});

const unshare = findUnshare();
test.if(unshare !== undefined)("process 1 ends too, though it has no default action for a signal", async () => {
  await using place = await hangingPlace();
  const words = [...(unshare ?? []), "--", EXECUTABLE, "inspect", SOCKET, "--root", place.node.rootDir, TIMEOUT];
  const child = Bun.spawn(words, { env: { PATH: process.env["PATH"] ?? "" }, stdout: "ignore", stderr: "ignore" });
  await waitUntil(() => place.driver.counts.open > 0, "the connection");
  const children = await Bun.file(`/proc/${child.pid}/task/${child.pid}/children`).text();
  process.kill(Number(children.trim()), "SIGTERM");
  expect(await child.exited).toBe(143);
});

interface Place extends AsyncDisposable {
  readonly node: MadeNode;
  readonly driver: AllowListDriver;
}

/** A node with one driver, which hangs. */
async function hangingPlace(): Promise<Place> {
  const made = new AsyncDisposableStack();
  const node = made.use(makeNode());
  makeKubeletRoot(node);
  node.directory(`${PLUGINS}/a.csi`);
  const answers = { "/csi.v1.Identity/Probe": { kind: "hang" } } as const;
  const driver = made.use(await startAllowListDriver({ answers, socketPath: node.outer(SOCKET) }));
  return { node, driver, [Symbol.asyncDispose]: () => made.disposeAsync() };
}

async function endingBy(child: Bun.Subprocess, signal: NodeJS.Signals): Promise<number> {
  const start = performance.now();
  child.kill(signal);
  await child.exited;
  return performance.now() - start;
}
