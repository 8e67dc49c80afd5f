import { describe, expect, test } from "bun:test";
import { lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readContainerLog } from "../../src/monitor/incidents/container-log";
import {
  advanceIncident,
  boundInspection,
  giveUpIncident,
  type Incident,
  type IncidentChange,
  incidentId,
  MAX_EVENTS,
  MAX_INSPECTION_BYTES,
  openIncident,
} from "../../src/monitor/incidents/incident";
import { MAX_FILES, MAX_TOTAL_BYTES, openIncidentFiles } from "../../src/monitor/incidents/incident-files";
import { createIncidentStore, MAX_INCIDENTS, MAX_TOTAL_CHARACTERS } from "../../src/monitor/incidents/incident-store";
import { passed, step } from "../../src/inspection/report";
import { temporaryDirectory } from "../../scripts/temporary";
import { makeNode } from "../support/made-node";
import { rootOf } from "../support/made-node-root";

const NAME = "20261125T141801.000Z-1";
const HUNG = { kind: "failed", reason: "hung", message: "hung" } as const;
const CLOSED = { kind: "failed", reason: "closed", message: "closed" } as const;

describe("an incident", () => {
  test.each<readonly [string, readonly IncidentChange[], readonly IncidentChange["kind"][], Incident["end"]]>([
    ["is open until its driver is ready", [], ["failed"], undefined],
    ["has the same state once", [HUNG, HUNG], ["failed"], undefined],
    ["has each change of reason", [CLOSED, HUNG], ["failed", "failed", "failed"], undefined],
    ["has a state again that came back", [{ kind: "notReady" }, HUNG], ["failed", "notReady", "failed"], undefined],
    ["ends with the recovery", [CLOSED, { kind: "ready" }], ["failed", "failed", "ready"], "recovered"],
    ["takes nothing more when it is closed", [{ kind: "ready" }, HUNG], ["failed", "ready"], "recovered"],
    [
      "has each restart",
      [{ kind: "restarted", pid: 2 }, { kind: "restarted", pid: 3 }, HUNG],
      ["failed", "restarted", "restarted"],
      undefined,
    ],
  ])("%s", (_, changes, kinds, end) => {
    const incident = changes.reduce((before, change, index) => advanceIncident(before, change, index), open());
    expect({ kinds: incident.events.map(({ kind }) => kind), end: incident.end }).toEqual({ kinds: [...kinds], end });
  });

  test("keeps the first and the last events of very many", () => {
    let incident = open();
    for (let at = 1; at <= 500; at += 1) incident = advanceIncident(incident, at % 2 === 0 ? HUNG : CLOSED, at);
    expect(incident.events).toHaveLength(MAX_EVENTS);
    expect(incident.events.length + incident.eventsLeftOut).toBe(501);
    expect(incident.events.slice(0, 3).map(({ atMs }) => atMs)).toEqual([0, 1, 2]);
    expect(incident.events.at(-1)?.atMs).toBe(500);
  });

  test("that is given up is closed once", () => {
    const gone = giveUpIncident(open(), 5);
    expect(gone).toMatchObject({ end: "gone", closedAtMs: 5 });
    expect(giveUpIncident(gone, 6)).toBe(gone);
  });

  test("has an id that sorts by time", () => {
    expect(incidentId(1_795_616_302_566, 3)).toBe("20261125T141822.566Z-3");
  });

  test("has an inspection of a bounded size, whatever the driver answered", () => {
    const details = Array.from({ length: 1_000 }, () => "x".repeat(5_000));
    const report = {
      socket: "/a",
      driver: "a",
      outcome: { kind: "ready" },
      slow: false,
      steps: Array.from({ length: 12 }, () => step("GetPluginCapabilities", passed(details))),
      verdict: "ready",
      next: undefined,
    } as const;
    expect(JSON.stringify(boundInspection(report)).length).toBeLessThan(MAX_INSPECTION_BYTES);
  });
});

describe("the incidents in memory", () => {
  test("are the last 100, the newest first", () => {
    const store = createIncidentStore();
    for (let index = 0; index < 150; index += 1) store.add(open({ id: `i${index}` }));
    expect(store.all()).toHaveLength(MAX_INCIDENTS);
    expect(store.all()[0]?.id).toBe("i149");
    expect(store.get("i49")).toBeUndefined();
  });

  test("take no more memory than is said", () => {
    const store = createIncidentStore();
    for (let index = 0; index < MAX_INCIDENTS; index += 1)
      store.add(open({ id: `i${index}`, message: "x".repeat(50_000) }));
    expect(JSON.stringify(store.all()).length).toBeLessThan(MAX_TOTAL_CHARACTERS + 1_000);
    expect(store.all()[0]?.id).toBe("i99");
  });

  test("are changed in their place, and one that was dropped does not come back", () => {
    const store = createIncidentStore();
    for (let index = 0; index < 101; index += 1) store.add(open({ id: `i${index}` }));
    store.update(open({ id: "i50", message: "changed" }));
    store.update(open({ id: "i0" }));
    expect(store.get("i50")?.message).toBe("changed");
    expect(store.all().map(({ id }) => id)[50]).toBe("i50");
    expect(store.get("i0")).toBeUndefined();
  });
});

describe("the directory of incidents", () => {
  test("has a file for each, for its owner alone, and no other", () => {
    using directory = temporaryDirectory();
    const files = openIncidentFiles(directory.path);
    files.write(NAME, "one");
    files.write(NAME, "one, changed");
    expect(readdirSync(directory.path)).toEqual([`incident-${NAME}.json`]);
    const path = join(directory.path, `incident-${NAME}.json`);
    expect(readFileSync(path, "utf8")).toBe("one, changed");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("keeps 100 files, the newest, and whatever is not ours", () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "incident-notes.json"), "mine");
    const files = openIncidentFiles(directory.path);
    for (let index = 0; index < 130; index += 1) files.write(incidentId(index * 1_000, 1), "");
    const ours = readdirSync(directory.path).filter((file) => file !== "incident-notes.json");
    expect(ours).toHaveLength(MAX_FILES);
    expect(ours).toContain(`incident-${incidentId(129_000, 1)}.json`);
    expect(ours).not.toContain(`incident-${incidentId(29_000, 1)}.json`);
    expect(readFileSync(join(directory.path, "incident-notes.json"), "utf8")).toBe("mine");
  });

  test("keeps 50 MiB", () => {
    using directory = temporaryDirectory();
    const files = openIncidentFiles(directory.path);
    const text = "x".repeat(MAX_TOTAL_BYTES / 5);
    for (let index = 0; index < 8; index += 1) files.write(incidentId(index * 1_000, 1), text);
    const sizes = readdirSync(directory.path).map((file) => statSync(join(directory.path, file)).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(MAX_TOTAL_BYTES);
  });

  test("is cleaned of what a process left that was killed while it wrote", () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, `.incident-${NAME}.json.part`), "half");
    openIncidentFiles(directory.path);
    expect(readdirSync(directory.path)).toEqual([]);
  });

  test("leads to no other file by a link that was planted in it", () => {
    using directory = temporaryDirectory();
    using other = temporaryDirectory();
    const target = join(other.path, "target");
    writeFileSync(target, "untouched");
    const files = openIncidentFiles(directory.path);
    symlinkSync(target, join(directory.path, `.incident-${NAME}.json.part`));
    symlinkSync(target, join(directory.path, `incident-${NAME}.json`));
    files.write(NAME, "new");
    expect(readFileSync(target, "utf8")).toBe("untouched");
    expect(lstatSync(join(directory.path, `incident-${NAME}.json`)).isFile()).toBe(true);
  });

  test.each([
    ["is missing", "missing", "it does not exist; create it, or mount a volume there"],
    ["is a file", "file", "it is not a directory; name one"],
  ])("that %s is refused", (_, path, why) => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "file"), "");
    const given = join(directory.path, path);
    expect(() => openIncidentFiles(given)).toThrow(
      `--incident-dir must be a directory that can be written to, got "${given}": ${why}`,
    );
  });
});

describe("the log of a container", () => {
  const POD = {
    uid: "00000000-0000-4000-8000-000000000000",
    namespace: "kube-system",
    name: "ebs-node-x",
    container: "ebs-plugin",
    containerId: undefined,
    restarted: false,
  };
  const DIRECTORY = `/var/log/pods/${POD.namespace}_${POD.name}_${POD.uid}/${POD.container}`;

  test("is the last 100 lines of the newest run", async () => {
    await using node = makeNode();
    node.file(`${DIRECTORY}/0.log`, "old\n");
    node.file(`${DIRECTORY}/10.log`, Array.from({ length: 5_000 }, (_, line) => `line ${line}\n`).join(""));
    node.file(`${DIRECTORY}/9.log`, "older\n");
    const lines = readContainerLog(rootOf(node), POD);
    expect(lines).toHaveLength(100);
    expect(lines?.at(0)).toBe("line 4900");
    expect(lines?.at(-1)).toBe("line 4999");
  });

  test("has no half line where a line is longer than what is read", async () => {
    await using node = makeNode();
    node.file(`${DIRECTORY}/0.log`, `${"x".repeat(100_000)}\nlast\n`);
    expect(readContainerLog(rootOf(node), POD)).toEqual(["last"]);
  });

  test.each<readonly [string, (node: ReturnType<typeof makeNode>) => void]>([
    ["there is none", () => {}],
    ["it is a FIFO", (node) => (node.directory(DIRECTORY), node.fifo(`${DIRECTORY}/0.log`))],
    ["it is a link out of the node", (node) => node.link(`${DIRECTORY}/0.log`, "/../../../etc/hostname")],
  ])("is not read where %s", async (_, prepare) => {
    await using node = makeNode();
    prepare(node);
    expect(readContainerLog(rootOf(node), POD)).toBeUndefined();
  });
});

function open(changes: Partial<Incident> = {}): Incident {
  const subject = { socket: "/a", driver: "a", namespace: undefined, pod: undefined, container: undefined };
  return { ...openIncident(subject, { reason: "hung", message: "hung" }, "i", 0), ...changes };
}
