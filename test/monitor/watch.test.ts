import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { MONOTONIC_CLOCK } from "../../src/base/clock";
import { parseDuration } from "../../src/base/duration";
import { renderMetrics } from "../../src/monitor/metrics";
import { parseExposition, valueOf } from "../support/exposition";
import { MAX_GONE } from "../../src/monitor/driver-table";
import { MAX_SOCKETS, MAX_SOCKETS_PER_DIRECTORY } from "../../src/monitor/node-scan";
import { startDriver } from "../support/drivers";
import { startRecordingDriver } from "../support/recording-driver";
import { startRegistrationServer } from "../support/registration-server";
import { PLUGINS, REGISTRY, startTestWatch } from "../support/test-watch";
import { waitUntil } from "../support/wait";

// Processes start slowly on a busy machine.
setDefaultTimeout(120_000);

describe("a driver", () => {
  test("that comes later is found, and one that goes is gone", async () => {
    await using testing = await startTestWatch();
    const driver = await testing.start("a.csi");
    await testing.waitFor("a.csi", "ready");
    expect(testing.driver("a.csi")?.report).toMatchObject({ vendorVersion: "1.0.0", nameSource: "driver" });
    await driver[Symbol.asyncDispose]();
    rmSync(testing.node.outer(`${PLUGINS}/a.csi/csi.sock`), { force: true });
    await waitUntil(() => testing.driver("a.csi") === undefined, "the driver to be gone");
    expect(testing.watch.table.hasSeen("a.csi")).toBe(true);
    expect(testing.log.join("")).toContain("A CSI driver's socket is gone");
  });

  test("is asked for its name once, and gets a connection for each probe, one at a time", async () => {
    await using testing = await startTestWatch();
    const driver = await testing.start("a.csi");
    let renamed = 0;
    driver.nameOf = () => `name-${(renamed += 1)}.csi`;
    await testing.waitFor("name-1.csi", "ready");
    await testing.probes("name-1.csi", 5);
    expect(driver.calls.filter((call) => call.endsWith("GetPluginInfo"))).toHaveLength(1);
    expect(driver.connections.maxOpen).toBe(1);
  });

  test("of another name that takes its socket's place is known by its own name", async () => {
    await using testing = await startTestWatch();
    await testing.start("a.csi");
    await testing.waitFor("a.csi", "ready");
    await testing.start("b.csi", "a.csi");
    await testing.waitFor("b.csi", "ready");
    expect(testing.driver("a.csi")).toBeUndefined();
  });

  test("that says that it is not ready is no incident", async () => {
    await using testing = await startTestWatch();
    const driver = await testing.start("a.csi");
    await testing.waitFor("a.csi", "ready");
    driver.mode = "notReady";
    await testing.waitFor("a.csi", "notReady");
    expect(testing.incidents()).toEqual([]);
  });

  test("that was never ready is no incident", async () => {
    await using testing = await startTestWatch({}, (node) => node.staleSocket(`${PLUGINS}/a.csi/csi.sock`));
    await testing.waitFor("a.csi", "nobody_listens");
    await testing.probes("a.csi", 1);
    expect(testing.incidents()).toEqual([]);
    expect(testing.log.filter((line) => line.includes("failed its probe"))).toHaveLength(1);
  });

  test("that is a gRPC server of another kind is no driver", async () => {
    await using testing = await startTestWatch();
    const other = await testing.start("a.csi");
    other.mode = "unimplemented";
    await testing.waitFor("a.csi", "notCsi");
  });

  test("of the name of --driver that is not there is told of once, with the names that are", async () => {
    await using testing = await startTestWatch({ driver: "nosuch.csi" });
    await testing.start("a.csi");
    const told = () => testing.log.filter((line) => line.includes("The driver of --driver was not found"));
    await waitUntil(() => told().length > 0, "the warning");
    const { sinceScanMs } = testing.watch;
    for (let scan = 0; scan < 3; scan += 1) {
      const before = sinceScanMs();
      await waitUntil(() => sinceScanMs() < before, "another scan");
    }
    expect(told()).toEqual([
      expect.stringMatching(/^W.* why="No driver called \\"nosuch.csi\\" was found. There are: a.csi"\n$/),
    ]);
  });

  test("of the name of --driver in a directory of another name is not missed", async () => {
    await using testing = await startTestWatch({ driver: "a.csi" });
    await testing.start("a.csi", "elsewhere");
    await testing.waitFor("a.csi", "ready");
    await testing.probes("a.csi", 3);
    expect(testing.log.filter((line) => line.startsWith("W"))).toEqual([]);
  });

  test("of another name than --driver is asked no more", async () => {
    await using testing = await startTestWatch({ driver: "a.csi" });
    await testing.start("a.csi");
    const other = await testing.start("b.csi");
    await testing.waitFor("a.csi", "ready");
    await waitUntil(() => other.calls.length > 0, "the other to be asked");
    await testing.probes("a.csi", 4);
    expect(testing.watch.table.drivers().map(({ label }) => label)).toEqual(["a.csi"]);
    expect(other.connections.total).toBe(1);
    expect(testing.log.filter((line) => line.includes("is ready"))).toEqual([
      expect.stringContaining('driver="a.csi"'),
    ]);
  });
});

describe("a driver that hangs", () => {
  test("in Probe gets one connection and one call, and its answer is the recovery", async () => {
    await using testing = await startTestWatch();
    const driver = await testing.start("a.csi");
    await testing.start("b.csi");
    await testing.waitFor("a.csi", "ready");
    await testing.waitFor("b.csi", "ready");
    driver.mode = "hold";
    await testing.waitFor("a.csi", "hung");
    const seenMs = Date.now();
    const hung = testing.driver("a.csi");
    expect(hung?.history.durations()).toHaveLength(hung?.probes.ready ?? 0);
    const { total } = driver.connections;
    const calls = driver.calls.length;
    await testing.probes("b.csi", 10);
    expect(driver.connections).toMatchObject({ open: 1, total });
    expect(driver.calls).toHaveLength(calls);
    expect(testing.watch.heldConnections()).toBe(1);
    driver.mode = "ready";
    driver.release();
    await testing.waitFor("a.csi", "ready");
    expect(driver.connections.total).toBe(total);
    // How long it hung is no latency.
    await testing.probes("a.csi", 1);
    expect(Math.max(...(testing.driver("a.csi")?.history.durations() ?? []))).toBeLessThanOrEqual(400);
    const [incident] = testing.incidents();
    expect(incident).toMatchObject({ reason: "hung", end: "recovered", driver: "a.csi" });
    expect(incident?.events.map(({ kind }) => kind)).toEqual(["failed", "ready"]);
    expect(incident?.inspection?.verdict).toStartWith("failed: hung at Probe");
    // From the beginning of the probe that failed: it took the timeout of 400 ms, and a timer may be early.
    const { openedAtMs = seenMs, closedAtMs = 0 } = incident ?? {};
    expect(seenMs - openedAtMs).toBeGreaterThanOrEqual(390);
    const [, lasted = ""] = /its incident is closed".* lasted="([^"]+)"/.exec(testing.log.join("")) ?? [];
    expect(Math.abs((parseDuration(lasted) ?? 0) - (closedAtMs - openedAtMs))).toBeLessThan(200);
  });

  test("because it was stopped has one connection in its queue, and recovers when it is continued", async () => {
    await using testing = await startTestWatch();
    testing.node.directory(`${PLUGINS}/a.csi`);
    const socketPath = testing.node.outer(`${PLUGINS}/a.csi/csi.sock`);
    await using driver = await startDriver("grpc-js", { name: "a.csi", socketPath });
    await testing.start("b.csi");
    await testing.waitFor("a.csi", "ready");
    await testing.waitFor("b.csi", "ready");
    await driver.pause();
    await testing.waitFor("a.csi", "hung");
    await testing.probes("b.csi", 10);
    expect(queueOf(socketPath)).toBe(1);
    await waitUntil(() => testing.incidents()[0]?.inspection, "the inspection");
    const inspection = testing.incidents()[0]?.inspection;
    expect(inspection?.verdict).toBe("failed: hung at HTTP/2; process stopped (T)");
    expect(inspection?.steps.find(({ title }) => title === "resources")?.outcome).toMatchObject({ kind: "passed" });
    driver.resume();
    await testing.waitFor("a.csi", "ready");
    expect(testing.incidents()[0]).toMatchObject({ end: "recovered" });
  });

  test("and closes its connection is asked again", async () => {
    await using testing = await startTestWatch();
    const driver = await testing.start("a.csi");
    await testing.waitFor("a.csi", "ready");
    driver.mode = "hold";
    await testing.waitFor("a.csi", "hung");
    driver.mode = "ready";
    driver.drop();
    await testing.waitFor("a.csi", "ready");
    expect(testing.incidents()[0]?.events.map(({ kind }) => kind)).toEqual(["failed", "connectionLost", "ready"]);
    expect(driver.connections.maxOpen).toBe(1);
  });

  test("and is replaced by a new one is asked at once on the new socket", async () => {
    await using testing = await startTestWatch();
    const first = await testing.start("a.csi");
    await testing.waitFor("a.csi", "ready");
    first.mode = "hold";
    await testing.waitFor("a.csi", "hung");
    const second = await testing.start("a.csi");
    await testing.waitFor("a.csi", "ready");
    expect(first.connections.open).toBe(0);
    expect(second.connections.total).toBeGreaterThan(0);
    const kinds = testing.incidents()[0]?.events.map(({ kind }) => kind);
    expect(kinds).toEqual(["failed", "socketReplaced", "ready"]);
  });

  test("does not delay the others, however many do", async () => {
    await using testing = await startTestWatch();
    for (let index = 0; index < 20; index += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const driver = await testing.start(`hung-${index}.csi`);
      driver.mode = "hold";
    }
    await testing.start("a.csi");
    await testing.waitFor("a.csi", "ready");
    await waitUntil(() => testing.watch.heldConnections() === 20, "all of them to hang");
    await testing.probes("a.csi", 5);
    expect(testing.driver("a.csi")?.probes.failed).toBe(0);
  });
});

describe("an incident", () => {
  test("of a driver that was killed has the steps of inspect, and ends when it is started anew", async () => {
    await using testing = await startTestWatch();
    testing.node.directory(`${PLUGINS}/a.csi`);
    const socketPath = testing.node.outer(`${PLUGINS}/a.csi/csi.sock`);
    const driver = await startDriver("grpc-js", { name: "a.csi", socketPath });
    await testing.waitFor("a.csi", "ready");
    await waitUntil(() => testing.driver("a.csi")?.process, "the process to be found");
    const started = testing.driver("a.csi")?.process?.startedAtMs;
    expect(Math.abs((started ?? 0) - Date.now())).toBeLessThan(120_000);
    await driver.kill();
    await testing.waitFor("a.csi", "nobody_listens");
    await waitUntil(() => testing.incidents()[0]?.inspection, "the inspection");
    expect(testing.incidents()[0]?.inspection?.verdict).toBe("failed: nobody_listens at connect");
    rmSync(socketPath);
    // The file system may give the next socket the same inode, which a probe may then reach before a scan sees it.
    await waitUntil(() => testing.log.some((line) => line.includes("socket is gone")), "the socket to be gone");
    await using again = await startDriver("grpc-js", { name: "a.csi", socketPath });
    await testing.waitFor("a.csi", "ready");
    const [incident] = testing.incidents();
    expect(incident).toMatchObject({ end: "recovered" });
    // The kill may cut off a probe, and two probes may find no socket before a scan does.
    const mayBeThere = new Set(["closed", "socket_missing", "socketGone"]);
    const events = incident?.events.filter((event) => !mayBeThere.has("reason" in event ? event.reason : event.kind));
    expect(events).toMatchObject([
      { kind: "failed", reason: "nobody_listens" },
      { kind: "socketReplaced" },
      { kind: "restarted", pid: again.pid },
      { kind: "ready" },
    ]);
    expect(testing.log.filter((line) => line.includes("incident"))).toHaveLength(2);
  });

  test("notes each change of reason once", async () => {
    await using testing = await startTestWatch();
    const driver = await testing.start("a.csi");
    await testing.waitFor("a.csi", "ready");
    driver.mode = "unavailable";
    await testing.waitFor("a.csi", "rpc_error");
    await testing.probes("a.csi", 3);
    driver.mode = "notReady";
    await testing.waitFor("a.csi", "notReady");
    driver.mode = "ready";
    await testing.waitFor("a.csi", "ready");
    const kinds = testing.incidents()[0]?.events.map(({ kind }) => kind);
    expect(kinds).toEqual(["failed", "notReady", "ready"]);
    expect(testing.incidents()).toHaveLength(1);
  });
});

test("drivers that wait for their inspections do not delay the others, and are asked after them", async () => {
  const inspections = Promise.withResolvers<void>();
  await using testing = await startTestWatch({
    observe: () => (event) => {
      if (event.kind !== "outcome" || event.record.surveyed.report.outcome.kind !== "failed") return;
      const { record } = event;
      record.inspecting ??= inspections.promise.finally(() => (record.inspecting = undefined));
    },
  });
  const failing = await Promise.all(Array.from({ length: 8 }, (_, index) => testing.start(`failing-${index}.csi`)));
  for (const driver of failing) driver.mode = "unavailable";
  await testing.start("a.csi");
  await testing.waitFor("a.csi", "ready");
  for (let index = 0; index < 8; index += 1) await testing.waitFor(`failing-${index}.csi`, "rpc_error");
  const calls = failing.map((driver) => driver.calls.length);
  await testing.probes("a.csi", 5);
  expect(failing.map((driver) => driver.calls.length)).toEqual(calls);
  for (const driver of failing) driver.mode = "ready";
  inspections.resolve();
  for (let index = 0; index < 8; index += 1) await testing.waitFor(`failing-${index}.csi`, "ready");
});

test("an incident whose driver is gone for 10 minutes is closed, and the driver that comes back has none", async () => {
  let laterMs = 0;
  const clock = { ...MONOTONIC_CLOCK, nowMs: () => MONOTONIC_CLOCK.nowMs() + laterMs };
  await using testing = await startTestWatch({ clock });
  const driver = await testing.start("a.csi");
  await testing.waitFor("a.csi", "ready");
  driver.mode = "unavailable";
  await testing.waitFor("a.csi", "rpc_error");
  await driver[Symbol.asyncDispose]();
  rmSync(testing.node.outer(`${PLUGINS}/a.csi/csi.sock`), { force: true });
  await waitUntil(() => testing.driver("a.csi") === undefined, "the driver to be gone");
  laterMs = 500_000;
  const scan = testing.watch.sinceScanMs();
  await waitUntil(() => testing.watch.sinceScanMs() < scan, "a scan");
  expect(testing.incidents()[0]?.end).toBeUndefined();
  laterMs = 601_000;
  await waitUntil(() => testing.incidents()[0]?.end === "gone", "the incident's end");
  await testing.start("a.csi");
  await testing.waitFor("a.csi", "ready");
  expect(testing.incidents()).toHaveLength(1);
});

test("a scrape is whole, and has every driver, while the node is searched and sockets are replaced", async () => {
  await using testing = await startTestWatch({ intervalMs: 50 }, (node) => {
    // So that a search takes some time.
    for (let index = 0; index < 500; index += 1) node.directory(`${PLUGINS}/empty-${index}.csi/deep`);
  });
  await testing.start("a.csi");
  await testing.waitFor("a.csi", "ready");
  const scraping = {
    probeTimeoutMs: 400,
    incidentCounts: () => new Map(),
    startTimeSeconds: 0,
    processFamilies: () => [],
  };
  let duringSearches = 0;
  for (let round = 0; duringSearches < 100; round += 1) {
    // oxlint-disable no-await-in-loop -- one scrape after the other
    if (round % 200 === 0) await testing.start("b.csi");
    await new Promise((resolve) => setImmediate(resolve));
    // The next search is due after the interval, and this is the time since the end of the last one.
    if (testing.watch.sinceScanMs() > 60) duringSearches += 1;
    const families = parseExposition(renderMetrics({ ...scraping, watch: testing.watch }));
    expect(valueOf(families, "csi_node_driver_ready", { driver_name: "a.csi" })).toBe(1);
    // oxlint-enable no-await-in-loop
  }
});

describe("a registration", () => {
  test("names the driver's registration socket, and is asked for once", async () => {
    await using testing = await startTestWatch();
    await testing.start("a.csi");
    await using registrar = await startRegistrationServer({
      name: "a.csi",
      endpoint: `${PLUGINS}/a.csi/csi.sock`,
      socketPath: testing.node.outer(`${REGISTRY}/a-reg.sock`),
    });
    await waitUntil(() => testing.driver("a.csi")?.registrationSocket, "the registration");
    expect(testing.driver("a.csi")).toMatchObject({
      registrationSocket: `${REGISTRY}/a-reg.sock`,
      report: { announced: "yes" },
    });
    await testing.probes("a.csi", 5);
    expect(registrar.calls).toHaveLength(1);
  });

  test("of a socket that is missing is a driver that has failed", async () => {
    await using testing = await startTestWatch();
    const driver = await testing.start("a.csi");
    await using _ = await startRegistrationServer({
      name: "a.csi",
      endpoint: `${PLUGINS}/a.csi/csi.sock`,
      socketPath: testing.node.outer(`${REGISTRY}/a-reg.sock`),
    });
    await testing.waitFor("a.csi", "ready");
    await waitUntil(() => testing.driver("a.csi")?.registrationSocket, "the registration");
    await driver[Symbol.asyncDispose]();
    rmSync(testing.node.outer(`${PLUGINS}/a.csi/csi.sock`), { force: true });
    await testing.waitFor("a.csi", "socket_missing");
    expect(testing.incidents()[0]).toMatchObject({ reason: "socket_missing" });
    await testing.start("a.csi");
    await testing.waitFor("a.csi", "ready");
    expect(testing.incidents()[0]).toMatchObject({ end: "recovered" });
  });
});

describe("whatever an unprivileged process does in its directory", () => {
  test("a link in the place of its socket is not followed out of the kubelet's directory", async () => {
    await using outside = await startRecordingDriver();
    await using testing = await startTestWatch();
    const driver = await testing.start("a.csi");
    await testing.start("b.csi");
    await testing.waitFor("a.csi", "ready");
    await testing.waitFor("b.csi", "ready");
    await driver[Symbol.asyncDispose]();
    const path = testing.node.outer(`${PLUGINS}/a.csi/csi.sock`);
    for (let round = 0; round < 8; round += 1) {
      rmSync(path, { force: true });
      testing.node.staleSocket(`${PLUGINS}/a.csi/csi.sock`);
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      await testing.probes("b.csi", 1);
      rmSync(path);
      symlinkSync(outside.socketPath, path);
      // oxlint-disable-next-line no-await-in-loop
      await testing.probes("b.csi", 1);
    }
    expect(outside.connections).toEqual([]);
    expect(testing.driver("b.csi")?.probes.failed).toBe(0);
  });

  test("very many sockets in it leave out no other driver, and their names take no memory", async () => {
    await using testing = await startTestWatch({}, (node) => {
      for (let index = 0; index < 50; index += 1) node.staleSocket(`${PLUGINS}/a.csi/${index}.sock`);
    });
    await testing.start("b.csi");
    await testing.waitFor("b.csi", "ready");
    expect(testing.watch.table.counts()).toEqual({ found: MAX_SOCKETS_PER_DIRECTORY + 1, leftOut: 42 });
    expect(testing.watch.table.report()).toMatchObject({
      complete: false,
      notes: expect.arrayContaining(["42 sockets are not watched, because there are too many"]),
    });
    for (let round = 0; round < 20; round += 1) {
      for (let index = 0; index < 8; index += 1) {
        rmSync(testing.node.outer(`${PLUGINS}/a.csi`), { recursive: true, force: true });
        testing.node.staleSocket(`${PLUGINS}/a.csi/${round}-${index}.sock`);
      }
      const path = `${PLUGINS}/a.csi/${round}-7.sock`;
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      await waitUntil(() => testing.watch.table.records().some((record) => record.path === path), "the next names");
    }
    const gone = testing.watch.table.records().filter(({ place }) => place.kind === "gone");
    expect(gone.length).toBeLessThanOrEqual(MAX_GONE);
  });

  test("of very many directories with a socket as many are watched as is possible, and the others are counted", async () => {
    await using testing = await startTestWatch({}, (node) => {
      for (let index = 0; index < MAX_SOCKETS + 40; index += 1) node.staleSocket(`${PLUGINS}/d${index}.csi/csi.sock`);
    });
    expect(testing.watch.table.counts()).toEqual({ found: MAX_SOCKETS, leftOut: 40 });
    expect(testing.watch.table.drivers()).toHaveLength(MAX_SOCKETS);
  });

  test("drivers that come, hang and go leave no descriptor behind", async () => {
    const before = readdirSync("/proc/self/fd").length;
    {
      await using testing = await startTestWatch({ intervalMs: 50, probeTimeoutMs: 50 });
      for (let round = 0; round < 20; round += 1) {
        // oxlint-disable no-await-in-loop -- one round after the other
        const driver = await testing.start(`d${round % 3}.csi`);
        await testing.waitFor(`d${round % 3}.csi`, "ready");
        driver.mode = "hold";
        await testing.waitFor(`d${round % 3}.csi`, "hung");
        if (round % 2 === 0) driver.drop();
        else await driver[Symbol.asyncDispose]();
        // oxlint-enable no-await-in-loop
      }
    }
    await waitUntil(() => readdirSync("/proc/self/fd").length <= before, "the descriptors to be closed");
  });
});

describe("names that cannot be told apart", () => {
  test("get the path of their sockets, all but that of the directory's owner", async () => {
    await using testing = await startTestWatch();
    const liar = await testing.start("b.csi", "a-liar");
    const owner = await testing.start("b.csi");
    liar.nameOf = () => "b.csi";
    await waitUntil(() => liar.calls.length > 1 && owner.calls.length > 1, "both to be asked");
    const labels = () => testing.watch.table.drivers().map(({ label }) => label);
    await waitUntil(() => labels().includes("b.csi"), "the owner");
    await testing.waitFor(`b.csi:${PLUGINS}/a-liar/csi.sock`, "ready");
    await testing.waitFor("b.csi", "ready");
    expect(testing.driver("b.csi")?.report.socket).toBe(`${PLUGINS}/b.csi/csi.sock`);
  });

  test("of one that has another in each of its sockets are as few as its sockets", async () => {
    await using testing = await startTestWatch();
    for (let round = 0; round < 20; round += 1) {
      // oxlint-disable no-await-in-loop -- one round after the other
      const liar = await testing.start("a.csi");
      liar.nameOf = () => `liar-${round}.csi`;
      await testing.waitFor(`liar-${round}.csi`, "ready");
      // oxlint-enable no-await-in-loop
    }
    expect(testing.watch.table.drivers().map(({ label }) => label)).toEqual(["liar-19.csi"]);
  });

  test("are cut at 63 characters", async () => {
    await using testing = await startTestWatch();
    const driver = await testing.start("a.csi");
    driver.nameOf = () => "x".repeat(4_096);
    await testing.waitFor("x".repeat(63), "ready");
  });
});

/**
 * How many connections wait to be accepted: those with the socket's path and without an inode of their own
 * (proc_net(5)).
 */
function queueOf(socketPath: string): number {
  const rows = readFileSync("/proc/net/unix", "utf8").split("\n");
  return rows.filter((row) => row.endsWith(` 0 ${socketPath}`)).length;
}
