import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { FailureReason } from "../../src/driver/diagnosis";
import { behindShell, copyExecutable } from "../support/executable";
import { startHostileDriver } from "../support/hostile-driver";
import { quietFds } from "../support/quiet-fds";
import { runSidecar, type Sidecar, startSidecar } from "../support/sidecar";
import { createSocketCase, NOBODY_UID, type SocketCaseName } from "../support/socket-cases";
import { type TemporaryDirectory, temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "../support/wait";

const TIMEOUT_MS = 200;
const isRoot = process.getuid?.() === 0;

let directory: TemporaryDirectory;
let executable = "";
beforeAll(() => {
  directory = temporaryDirectory();
  executable = copyExecutable(directory.path);
});
afterAll(() => directory[Symbol.dispose]());

type Row = readonly [name: SocketCaseName, reason: FailureReason, facts: readonly string[]];

/** Facts may name PATH and DIRECTORY. */
const AS_ROOT: readonly Row[] = [
  ["a missing file", "socket_missing", ["no such file: PATH does not exist (tried for "]],
  ["a missing directory", "socket_missing", ["no such file: PATH does not exist, nor does its directory DIRECTORY"]],
  ["a regular file", "not_a_socket", ["not a socket: PATH is a regular file"]],
  ["a directory", "not_a_socket", ["not a socket: PATH is a directory"]],
  ["a dangling symlink", "socket_missing", ["no such file: PATH is a symbolic link to a file that does not exist"]],
  ["a symlink loop", "not_a_socket", ["not a socket: PATH is a symbolic link that leads back to itself"]],
  ["a stale socket", "nobody_listens", ["nobody listens: PATH ", "has stopped"]],
  ["a socket whose backlog is full", "hung", ["driver hung: it listens on PATH ", "its queue of connections is full"]],
  ["a datagram socket", "not_grpc", ["not gRPC: PATH is a datagram or seqpacket socket"]],
  ["a socket that nobody accepts from", "hung", ["driver hung: it took the connection on PATH "]],
  ["a symlink to a driver's socket", "hung", ["driver hung: it took the connection on PATH "]],
  ["root's socket with mode 0755", "hung", ["driver hung: it took the connection on PATH "]],
];

describe("as uid 0,", () => {
  test.if(isRoot).concurrent.each(AS_ROOT)("%s is %s", async (name, reason, facts) => {
    await using place = await createSocketCase(name);
    await expectFailure(place.path, 0, reason, facts);
  });
});

const DENIED = [
  "permission denied: PATH belongs to uid 0 and gid 0 with mode 0755",
  `connecting as uid ${NOBODY_UID} needs write permission`,
  "run livenessprobe as uid 0",
];

describe(`as uid ${NOBODY_UID}, which may not write to root's sockets,`, () => {
  test.if(isRoot).concurrent.each<Row>([
    ["a missing file", "socket_missing", ["no such file: PATH does not exist"]],
    ["a missing directory", "socket_missing", ["nor does its directory DIRECTORY"]],
    ["a regular file", "not_a_socket", ["not a socket: PATH is a regular file"]],
    ["a directory", "not_a_socket", ["not a socket: PATH is a directory"]],
    ["a dangling symlink", "socket_missing", ["is a symbolic link to a file that does not exist"]],
    ["a symlink loop", "not_a_socket", ["that leads back to itself"]],
    ["a stale socket", "permission_denied", DENIED],
    ["a socket whose backlog is full", "permission_denied", DENIED],
    ["a socket that nobody accepts from", "permission_denied", DENIED],
    ["a symlink to a driver's socket", "permission_denied", DENIED],
    ["root's socket with mode 0755", "permission_denied", DENIED],
  ])("%s is %s", async (name, reason, facts) => {
    await using place = await createSocketCase(name);
    await expectFailure(place.path, NOBODY_UID, reason, facts);
  });

  test.if(isRoot).concurrent("a socket behind a closed directory is permission_denied", async () => {
    using place = temporaryDirectory();
    const closed = join(place.path, "closed");
    mkdirSync(closed, { mode: 0o700 });
    await expectFailure(join(closed, "csi.sock"), NOBODY_UID, "permission_denied", [
      `permission denied: uid ${NOBODY_UID} may not reach PATH: the directory DIRECTORY belongs to uid 0 and gid 0 with mode 0700`,
      `open the directory to uid ${NOBODY_UID}`,
    ]);
  });
});

describe(`as uid ${NOBODY_UID}, which may write to it,`, () => {
  test.if(isRoot).concurrent.each<Row>([
    ["a regular file", "not_a_socket", ["not a socket: PATH is a regular file"]],
    ["a stale socket", "nobody_listens", ["nobody listens: PATH ", "has stopped"]],
    ["a socket whose backlog is full", "hung", ["its queue of connections is full"]],
    ["a socket that nobody accepts from", "hung", ["driver hung: it took the connection on PATH "]],
  ])("%s is %s", async (name, reason, facts) => {
    await using place = await createSocketCase(name);
    chmodSync(place.path, 0o777);
    await expectFailure(place.path, NOBODY_UID, reason, facts);
  });
});

test("a process without a free descriptor blames itself, not the driver, and is well again when there is one", async () => {
  await using driver = await startHostileDriver("answers ready (right)");
  await using sidecar = await start(driver.socketPath);
  await sidecar.waitForLog((line) => line.includes("CSI driver name"));
  expect((await sidecar.get("/healthz")).status).toBe(200);
  await waitUntil(() => driver.connections.open === 0, "that probe's connection to be closed");

  const { response, limit } = await firstAnswer(sidecar);
  const body = await response.text();
  const why = `too many open files here: the limit is ${limit} (EMFILE); raise it (ulimit -n, nofile)`;
  expect({ status: response.status, body }).toEqual({
    status: 500,
    body: `livenessprobe could not ask the driver on ${driver.socketPath}: ${why}`,
  });
  await limitFreeFds(sidecar, 100);
  expect(await results(sidecar)).toEqual({ internal: 1, ready: 1 });
  expect((await sidecar.get("/healthz")).status).toBe(200);
});

test("check without a free descriptor says that the driver was not asked, and exits 2", async () => {
  await using driver = await startHostileDriver("answers ready (right)");
  const args = ["check", driver.socketPath, "-o", "json"];
  const found = new Set<string>();
  // With fewer than the runtime itself opens, it does not start.
  for (const limit of [4, 5, 6, 7, 8, 9]) {
    // oxlint-disable-next-line no-await-in-loop -- one more at a time
    const { code, stdout } = await runSidecar(...behindShell(`ulimit -n ${limit}`, args));
    found.add(stdout === "" ? `exit ${code}` : `exit ${code}: ${JSON.parse(stdout).state}`);
  }
  expect([...found]).toEqual(["exit 1", "exit 2: notAsked", "exit 0: ready"]);
});

/** The answer with as few free descriptors as let a request in: there is none left for the driver then. */
async function firstAnswer(sidecar: Sidecar): Promise<{ readonly response: Response; readonly limit: number }> {
  for (let free = 1; free <= 4; free += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one more at a time
    const limit = await limitFreeFds(sidecar, free);
    try {
      // oxlint-disable-next-line no-await-in-loop
      return { response: await sidecar.get("/healthz", { signal: AbortSignal.timeout(4 * TIMEOUT_MS) }), limit };
    } catch {
      // Not let in: nobody could accept the connection, or hand it on.
    }
  }
  throw new Error("no request was let in, with up to 4 free descriptors");
}

async function limitFreeFds(sidecar: Sidecar, free: number): Promise<number> {
  const { pid } = sidecar;
  await quietFds(sidecar, () => true);
  const open = readdirSync(`/proc/${pid}/fd`).map(Number);
  // A limit is of descriptors' numbers: those that are free below the highest one count too.
  const limit = Math.max(Math.max(...open) + 1, open.length + free);
  expect(await Bun.spawn(["prlimit", "--pid", `${pid}`, `--nofile=${limit}:1024`]).exited).toBe(0);
  return limit;
}

async function expectFailure(path: string, uid: number, reason: FailureReason, facts: readonly string[]) {
  await using sidecar = await start(path, uid);
  const response = await sidecar.get("/healthz");
  const body = await response.text();
  expect(response.status).toBe(500);
  for (const fact of facts) {
    expect(body).toContain(fact.replace("PATH", path).replace("DIRECTORY", join(path, "..")));
  }
  expect(body).toMatch(/\b(tried for|within) ([2-9]\d\dms|[\d.]+s)[);]/);
  expect(body).not.toMatch(/[\r\n]|context deadline exceeded/);
  expect(await results(sidecar)).toEqual({ [reason]: 1 });
  const line = await sidecar.waitForLog((logged) => logged.includes("CSI driver failed its probe"));
  expect(line).toContain(`reason="${reason}"`);
  expect(line).toContain(path);
}

function start(path: string, uid?: number): Promise<Sidecar> {
  const args = ["--csi-address", path, "--http-endpoint", "127.0.0.1:0", "--probe-timeout", `${TIMEOUT_MS}ms`];
  return startSidecar(args, { executable, ...(uid === undefined ? {} : { uid }) });
}

/** The results that were counted, by their label. */
async function results(sidecar: Sidecar): Promise<Record<string, number>> {
  const metrics = await (await sidecar.get("/metrics")).text();
  const counted = metrics.matchAll(/^csi_livenessprobe_probes_total\{.*result="(\w+)"\} ([1-9]\d*)$/gm);
  return Object.fromEntries([...counted].map(([, result, count]) => [result, Number(count)]));
}
