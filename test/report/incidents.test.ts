import { expect, test } from "bun:test";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDocuments, renderIncidentFile } from "../../src/monitor/documents";
import { type Incident, openIncident } from "../../src/monitor/incidents/incident";
import { openIncidentFiles } from "../../src/monitor/incidents/incident-files";
import { findIncidents } from "../../src/report/incidents";
import { nodeReport } from "../support/sample-reports";
import { temporaryDirectory } from "../../scripts/temporary";

const INCIDENTS = [2, 1, 0].map(incidentOf);

const DOCUMENTS = createDocuments("node-1", () => nodeReport([]));

test("a monitor's incidents are those of its HTTP API, the newest first", async () => {
  using monitor = serve();
  const { incidents, notes } = await findIncidents(monitor.address, undefined, 60_000);
  expect(incidents.map(({ id }) => id)).toEqual(INCIDENTS.map(({ id }) => id));
  expect({ apiVersion: "livenessprobe/v1", kind: "Incident", ...incidents[0] }).toEqual(
    JSON.parse(DOCUMENTS.incident(incidentOf(2))),
  );
  expect(notes).toEqual([]);
});

test("those of its files have the container's log, and an incident that is in both is there once", async () => {
  using monitor = serve();
  using place = temporaryDirectory();
  const files = openIncidentFiles(place.path);
  for (const incident of [1, 5].map(incidentOf))
    files.write(incident.id, renderIncidentFile(incident, ["a line"], "node-1"));
  const { incidents } = await findIncidents(monitor.address, place.path, 60_000);
  expect(incidents.map(({ id }) => id)).toEqual([5, 2, 1, 0].map((second) => incidentOf(second).id));
  expect(incidents.map((incident) => "log" in incident)).toEqual([true, false, true, false]);
});

test("the newest 20 are read", async () => {
  using place = temporaryDirectory();
  const files = openIncidentFiles(place.path);
  for (let second = 0; second < 25; second += 1)
    files.write(incidentOf(second).id, renderIncidentFile(incidentOf(second), undefined, "node-1"));
  const { incidents } = await findIncidents(undefined, place.path, 60_000);
  expect(incidents.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, index) => incidentOf(24 - index).id));
});

test.each<readonly [string, () => Response | Promise<Response>, string]>([
  ["is another program", () => new Response("<html>"), "its answer is no JSON"],
  ["has another document", () => Response.json({ kind: "Pod" }), "its answer is no IncidentList"],
  ["serves metrics alone", () => new Response("", { status: 404 }), "HTTP status 404"],
  ["leads elsewhere", () => Response.redirect("http://localhost:1/"), "HTTP status 302"],
  ["answers too much", () => new Response("x".repeat(5_000_000)), "it answers with more than 1048576 bytes"],
  ["answers nothing", () => new Promise(() => {}), "it does not answer within 300ms"],
])("who listens there %s: a note says so", async (_, answer, why) => {
  using monitor = serve(answer);
  expect(await findIncidents(monitor.address, undefined, 300)).toEqual({
    incidents: [],
    notes: [`no incidents of a monitor at ${monitor.address}: ${why}`],
  });
});

test("what is no incident's file is noted, and nothing else is opened", async () => {
  using place = temporaryDirectory();
  writeFileSync(join(place.path, nameOf(0)), "{");
  Bun.spawnSync(["mkfifo", join(place.path, nameOf(1))]);
  symlinkSync("/etc/passwd", join(place.path, nameOf(2)));
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  writeFileSync(
    join(place.path, nameOf(3)),
    `{"apiVersion":"livenessprobe/v1","kind":"Incident","id":"a","events":${deep}}`,
  );
  writeFileSync(join(place.path, "other.json"), "{");
  expect(await findIncidents(undefined, place.path, 60_000)).toEqual({
    incidents: [],
    notes: [0, 1, 2, 3].map((second) => `no incident in ${place.path}/${nameOf(second)}: ${WHY[second]}`),
  });
  expect((await findIncidents(undefined, "/no/such", 60_000)).notes).toEqual([
    "no incidents of /no/such: no such directory",
  ]);
});

const WHY = ["it is no document of an incident", "it is no regular file", "ELOOP", "it is no document of an incident"];

function nameOf(second: number): string {
  return `incident-${incidentOf(second).id}.json`;
}

function incidentOf(second: number): Incident {
  const at = Date.UTC(2026, 10, 25, 12, 0, second);
  const id = `${new Date(at).toISOString().replace(/[-:]/g, "")}-1`;
  const subject = { socket: "/a", driver: "a.csi", namespace: undefined, pod: undefined, container: undefined };
  return openIncident(subject, { reason: "hung", message: "m" }, id, at);
}

function serve(answer?: () => Response | Promise<Response>) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => {
      if (answer !== undefined) return answer();
      const incident = INCIDENTS.find(({ id }) => url.endsWith(id));
      return new Response(incident === undefined ? DOCUMENTS.incidents(INCIDENTS) : DOCUMENTS.incident(incident));
    },
  });
  return { address: `127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) };
}
