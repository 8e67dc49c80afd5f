import { describe, expect, test } from "bun:test";
import { FAILURE_REASONS } from "../../src/driver/diagnosis";
import type { ProbeResult } from "../../src/driver/probe";
import type { DriverReport } from "../../src/inspection/report";
import { renderCheckJson } from "../../src/terminal/check-line";
import { renderInspectionJson, renderNodeJson } from "../../src/terminal/json";
import { createDocuments, renderIncidentFile } from "../../src/monitor/documents";
import { advanceIncident, type Incident, openIncident } from "../../src/monitor/incidents/incident";
import schema from "../../docs/output.schema.json" with { type: "json" };
import { schemaFaults } from "../support/output-schema";
import {
  HOSTILE_INSPECTION,
  HOSTILE_REPORT,
  NODE_REPORT,
  STOPPED_INSPECTION,
  driverReport,
  nodeReport,
} from "../support/sample-reports";

const INCIDENT: Incident = {
  ...openIncident(
    { socket: "/a", driver: "a", namespace: "kube-system", pod: "p", container: undefined },
    { reason: "hung", message: "m" },
    "20261125T141801.000Z-1",
    0,
  ),
  inspection: HOSTILE_INSPECTION,
};
const CLOSED_INCIDENT = advanceIncident(
  advanceIncident({ ...INCIDENT, eventsLeftOut: 3 }, { kind: "restarted", pid: 2 }, 1),
  { kind: "ready" },
  2,
);

const DOCUMENTS = createDocuments("node-1", () => NODE_REPORT);

const timing = { elapsedMs: 1.26, connectMs: 1, rpc: { durationMs: 0.26, statusCode: 0 } };

describe("the schema describes what is printed", () => {
  test.each<readonly [string, string]>([
    ["check: ready", renderCheckJson("/a", { kind: "ready", timing })],
    ["check: not ready", renderCheckJson("/a", { kind: "notReady", timing })],
    ...FAILURE_REASONS.map((reason): [string, string] => [
      `check: ${reason}`,
      renderCheckJson("/a", { kind: "failed", reason, message: "m", timing: { elapsedMs: 0 } } satisfies ProbeResult),
    ]),
    ["list: nothing", renderNodeJson(nodeReport([]))],
    ["list: a node", renderNodeJson(NODE_REPORT)],
    ["list: hostile drivers", renderNodeJson(HOSTILE_REPORT)],
    ["monitor: drivers", DOCUMENTS.drivers()],
    ["monitor: no incidents", DOCUMENTS.incidents([])],
    ["monitor: incidents", DOCUMENTS.incidents([INCIDENT, CLOSED_INCIDENT])],
    ["monitor: an incident", DOCUMENTS.incident(INCIDENT)],
    ["monitor: an incident that is closed", DOCUMENTS.incident(CLOSED_INCIDENT)],
    ["monitor: the file of an incident", renderIncidentFile(CLOSED_INCIDENT, ["a line"], "node-1")],
    ["inspect: a stopped driver", renderInspectionJson(STOPPED_INSPECTION)],
    ["inspect: a hostile one", renderInspectionJson(HOSTILE_INSPECTION)],
    [
      "inspect: what is no CSI driver",
      renderInspectionJson({ ...STOPPED_INSPECTION, outcome: { kind: "notCsi", what: "w" } }),
    ],
  ])("%s", (_, json) => {
    expect(schemaFaults(JSON.parse(json))).toEqual([]);
  });
});

describe("the schema refuses", () => {
  test.each<readonly [string, unknown, string]>([
    ["no object", [], ": must be object"],
    ["another kind", list({ kind: "Pod" }), "/kind: must be equal to one of the allowed values"],
    ["another version", list({ apiVersion: "v1" }), "/apiVersion: must be equal to constant"],
    ["a list without items", list({ items: undefined }), ": must have required property 'items'"],
    ["a list without notes", list({ notes: undefined }), ": must have required property 'notes'"],
    ["another state", driver({ state: "down" }), "/items/0/state: must be equal to one of the allowed values"],
    [
      "a failure without its reason",
      driver({ state: "failed", message: "m" }),
      "/items/0: must have required property 'reason'",
    ],
    ["notCsi without what it is", driver({ state: "notCsi" }), "/items/0: must have required property 'what'"],
    ["null for what is not known", driver({ driver: null }), "/items/0/driver: must be string"],
    ["a time that is text", driver({ connectMs: "1ms" }), "/items/0/connectMs: must be number"],
    [
      "a listener without its pid",
      driver({ listener: { command: "a" } }),
      "/items/0/listener: must have required property 'pid'",
    ],
    [
      "capabilities that are no names",
      driver({ capabilities: { node: [3] } }),
      "/items/0/capabilities/node/0: must be string",
    ],
    ["a probe without its time", check({ elapsedMs: undefined }), ": must have required property 'elapsedMs'"],
    ["a probe of what is not CSI", check({ state: "notCsi" }), "/state: must be equal to one of the allowed values"],
    ["an inspection without steps", inspection({ steps: undefined }), ": must have required property 'steps'"],
    ["a report without what was cut", list({ kind: "Report" }), ": must have required property 'redactions'"],
    ["an incident without events", incident({ events: undefined }), ": must have required property 'events'"],
    ["an incident without its reason", incident({ reason: undefined }), ": must have required property 'reason'"],
    [
      "an event of another kind",
      incident({ events: [{ at: "", kind: "x" }] }),
      "/events/0/kind: must be equal to one of the allowed values",
    ],
    [
      "a step that passed without details",
      inspection({ steps: [{ title: "a", outcome: "passed" }] }),
      "/steps/0: must have required property 'details'",
    ],
    [
      "a step that is not permitted, without needs",
      inspection({ steps: [{ title: "a", outcome: "notPermitted" }] }),
      "/steps/0: must have required property 'needs'",
    ],
  ])("%s", (_, document, fault) => {
    // As it would be read: without the members that are undefined.
    expect(schemaFaults(JSON.parse(JSON.stringify(document)))).toContain(fault);
  });

  test("no member that is new", () => {
    expect(schemaFaults({ ...driver({ uid: 0 }), more: [] })).toEqual([]);
    expect(
      schemaFaults({ ...inspection({ more: 1 }), steps: [{ title: "a", outcome: "notReached", more: 1 }] }),
    ).toEqual([]);
  });
});

test("the schema names every reason", () => {
  expect(schema.$defs.failure.then.properties.reason.examples).toEqual([...FAILURE_REASONS, "not_ready"]);
});

test("what is known has the same name in check, list and inspect", () => {
  const outcome: DriverReport["outcome"] = { kind: "failed", reason: "hung", message: "m" };
  const times = { connectMs: 1, callMs: 0.26 };
  const known = { state: "failed", reason: "hung", message: "m", socket: "/a" };
  const documents = [
    JSON.parse(renderCheckJson("/a", { ...outcome, timing })),
    JSON.parse(renderNodeJson(nodeReport([driverReport({ outcome, socket: "/a", ...times })]))).items[0],
    JSON.parse(renderInspectionJson({ ...STOPPED_INSPECTION, outcome, socket: "/a" })),
  ];
  for (const document of documents) expect(document).toMatchObject(known);
  for (const document of documents.slice(0, 2)) expect(document).toMatchObject({ connectMs: 1, callMs: 0.3 });
});

/** Valid documents, but for what is said otherwise of their members. */
function check(changes: object): object {
  return { ...JSON.parse(renderCheckJson("/a", { kind: "ready", timing })), ...changes };
}

function list(changes: object): object {
  return { ...JSON.parse(renderNodeJson(nodeReport([driverReport()]))), ...changes };
}

function driver(changes: object): object {
  const [item] = JSON.parse(renderNodeJson(nodeReport([driverReport()]))).items;
  return list({ items: [{ ...item, ...changes }] });
}

function incident(changes: object): object {
  return { ...JSON.parse(DOCUMENTS.incident(INCIDENT)), ...changes };
}

function inspection(changes: object): object {
  return { ...JSON.parse(renderInspectionJson(STOPPED_INSPECTION)), ...changes };
}
