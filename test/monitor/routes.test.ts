import { describe, expect, test } from "bun:test";
import type { DriverOutcome } from "../../src/inspection/report";
import { createDocuments } from "../../src/monitor/documents";
import type { DriverView } from "../../src/monitor/driver-record";
import { createIncidentStore } from "../../src/monitor/incidents/incident-store";
import { createHistory } from "../../src/monitor/page/history";
import { createMonitorHandler } from "../../src/monitor/routes";
import { driverReport, nodeReport } from "../support/sample-reports";

const INTERVAL_MS = 30_000;
const READY: DriverOutcome = { kind: "ready" };
const HUNG: DriverOutcome = { kind: "failed", reason: "hung", message: "driver hung: \u001b[2J" };

describe("/healthz", () => {
  test.each([
    ["is 200 while the node is searched in time", 3 * INTERVAL_MS, 200, "ok"],
    ["is 500 when it was not", 3 * INTERVAL_MS + 1, 500, "the node was last looked through 90s ago"],
  ])("%s", async (_, sinceScanMs, status, body) => {
    expect(await ask("/healthz", [], { sinceScanMs })).toEqual({ status, body });
  });
});

test.each([
  ["the page", "/", "CSI drivers of node-1"],
  ["the list of drivers", "/api/v1/drivers", '"node": "node-1"'],
  ["the list of incidents", "/api/v1/incidents", '"node": "node-1"'],
])("%s names the node", async (_, path, named) => {
  expect((await ask(path, [])).body).toContain(named);
});

describe("/readyz", () => {
  test.each<readonly [string, string, readonly DriverView[], number, string]>([
    ["is 500 without a driver", "/readyz", [], 500, "no CSI driver was found"],
    ["is 200 when all drivers are ready", "/readyz", [view("a", READY), view("b", READY)], 200, "ok"],
    [
      "says why one is not ready, in a line that steers no terminal",
      "/readyz",
      [view("a", READY), view("b", HUNG)],
      500,
      "1 of 2 drivers are not ready: b: driver hung: \\x1b[2J",
    ],
    [
      "is 500 while it is not known",
      "/readyz",
      [view("a", { kind: "notAsked", message: "not asked" })],
      500,
      "1 of 1 drivers are not ready: a: not asked",
    ],
    [
      "is 200 whatever is no driver",
      "/readyz",
      [view("a", READY), view("b", { kind: "notCsi", what: "DRAPlugin" })],
      200,
      "ok",
    ],
    ["of a driver is that driver's", "/readyz/b", [view("a", HUNG), view("b", READY)], 200, "ready"],
    [
      "of a name is that of its owner, whoever is called so besides",
      "/readyz/b",
      [{ ...view("b:/liar", READY), names: new Set(["b"]) }, view("b", HUNG)],
      500,
      "driver hung: \\x1b[2J",
    ],
    ["of a driver that is gone is 500", "/readyz/seen", [], 500, "the driver is gone"],
    ["of a name that was never seen is 404", "/readyz/never", [view("a", READY)], 404, "no such driver was seen\n"],
    ["takes an escaped name", "/readyz/a%2Fb", [view("a/b", READY)], 200, "ready"],
  ])("%s", async (_, path, drivers, status, body) => {
    expect(await ask(path, drivers)).toEqual({ status, body });
  });

  test("has one line of at most 4 KiB, however many drivers fail", async () => {
    const drivers = Array.from({ length: 200 }, (_, index) => view(`d${index}`, HUNG));
    const { body } = await ask("/readyz", drivers);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4_096);
    expect(body).not.toContain("\n");
  });
});

function view(label: string, outcome: DriverOutcome): DriverView {
  return {
    label,
    report: driverReport({ outcome }),
    names: new Set([label]),
    registrationSocket: undefined,
    process: undefined,
    oomKills: undefined,
    probes: { ready: 0, notReady: 0, failed: 0 },
    lastReadyAtMs: undefined,
    history: createHistory(),
  };
}

async function ask(path: string, drivers: readonly DriverView[], { sinceScanMs = 0 } = {}) {
  const handle = createMonitorHandler({
    watch: { table: { drivers: () => drivers, hasSeen: (name) => name === "seen" }, sinceScanMs: () => sinceScanMs },
    documents: createDocuments("node-1", () => nodeReport([])),
    nodeName: "node-1",
    incidents: createIncidentStore(),
    intervalMs: INTERVAL_MS,
    wallMs: Date.now,
    serving: "all",
    answerMetrics: () => new Response(""),
  });
  const answer = handle(new Request(`http://localhost${path}`));
  return { status: answer.status, body: await answer.text() };
}
