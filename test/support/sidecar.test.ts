import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runSidecar, startSidecar } from "./sidecar";
import { type TemporaryDirectory, temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "./wait";

// Stands in for the sidecar, so that these tests say something about the support alone.
const STAND_IN = `#!${process.execPath}
if (process.argv[2] === "fail") { console.error("no such flag"); process.exit(2); }
const server = Bun.serve({ hostname: "::", port: 0, fetch: () => new Response(JSON.stringify(process.env)) });
const address = "[::]:" + server.port;
if (process.argv[2] === "json") console.error(JSON.stringify({ ts: 1, msg: "Listening", address }));
else console.error('I1122 09:53:50.671185   32502 serve.ts:70] "Listening" address="' + address + '"');
setTimeout(() => console.error("later"), 20);
if (process.argv[2] === "chatty") setTimeout(() => { console.error("x".repeat(1 << 22)); process.exit(0); }, 20);
`;

let directory: TemporaryDirectory;
let executable = "";

beforeAll(() => {
  directory = temporaryDirectory();
  executable = join(directory.path, "stand-in");
  writeFileSync(executable, STAND_IN, { mode: 0o755 });
});
afterAll(() => directory[Symbol.dispose]());

test.each(["text", "json"])("the address is read from a log line in %s", async (format) => {
  await using sidecar = await startSidecar([format], { executable, env: { GREETING: "hello" } });
  expect(sidecar.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const response = await sidecar.get("/");
  expect(await response.json()).toEqual({ GREETING: "hello" });
});

test("it can be looked at and ended", async () => {
  await using sidecar = await startSidecar([], { executable });
  expect(await sidecar.waitForLog((line) => line === "later")).toBe("later");
  expect(sidecar.fds()).toBeGreaterThan(3);
  expect(sidecar.anonymousKib()).toBeGreaterThan(1024);
  sidecar.signal("SIGTERM");
  expect(await sidecar.exited).toEqual({ code: null, signal: "SIGTERM" });
});

test.each([
  ["collect", ["later", "x".repeat(1 << 22)]],
  ["ignore", []],
] as const)("%s: it is never held up by its log", async (stderr, lines) => {
  await using sidecar = await startSidecar(["chatty"], { executable, stderr });
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  expect(sidecar.logLines.slice(1)).toEqual([...lines]);
});

test("unread: its log fills the pipe, and it blocks", async () => {
  await using sidecar = await startSidecar(["chatty"], { executable, stderr: "unread" });
  await waitUntil(() => writesToStderr(sidecar.pid), "it to block in a write to its log");
  expect(sidecar.logLines).toHaveLength(1);
});

test("one that ends before it listens is an error with what it said", async () => {
  await expect(startSidecar(["fail"], { executable })).rejects.toThrow(/"code":2.*no such flag/s);
  expect(await runSidecar(["fail"], { executable })).toEqual({
    code: 2,
    signal: null,
    stdout: "",
    stderr: "no such flag\n",
  });
});

/** Whether a process sits in a system call on its standard error: see proc_pid_syscall(5). */
function writesToStderr(pid: number): boolean {
  return readFileSync(`/proc/${pid}/syscall`, "utf8").split(" ")[1] === "0x2";
}
