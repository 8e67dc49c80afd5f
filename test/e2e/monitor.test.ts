import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { startControlledDriver, type ControlledDriver } from "../support/controlled-driver";
import { type RunningDriver, startDriver } from "../support/drivers";
import { parseExposition } from "../support/exposition";
import { type MadeNode, makeKubeletRoot, makeNode } from "../support/made-node";
import { schemaFaults } from "../support/output-schema";
import { findPromtool } from "../support/prometheus-programs";
import { runSidecar, type Sidecar, startSidecar } from "../support/sidecar";
import { temporaryDirectory } from "../../scripts/temporary";
import { EXECUTABLE } from "../support/executable";
import { usable } from "../support/usable";
import { waitUntil } from "../support/wait";

// Processes start slowly on a busy machine.
setDefaultTimeout(120_000);

const PLUGINS = "/var/lib/kubelet/plugins";
const HOSTILE_NAME = `<script>alert(1)</script>&"'\u001b[2J`;

const promtool = await findPromtool();
const resources = new AsyncDisposableStack();
const directory = temporaryDirectory();
let node: MadeNode;
let monitor: Sidecar;
let stopped: RunningDriver;
let hostile: ControlledDriver;

beforeAll(async () => {
  resources.use(directory);
  node = resources.use(makeNode());
  makeKubeletRoot(node);
  const pathOf = (name: string): string => {
    node.directory(`${PLUGINS}/${name}`);
    return node.outer(`${PLUGINS}/${name}/csi.sock`);
  };
  resources.use(await startDriver("grpc-js", { name: "ready.csi", socketPath: pathOf("ready.csi") }));
  stopped = resources.use(await startDriver("grpc-js", { name: "stopped.csi", socketPath: pathOf("stopped.csi") }));
  hostile = resources.use(await startControlledDriver(pathOf("hostile.csi"), HOSTILE_NAME));
  monitor = resources.use(await startMonitor(["--incident-dir", directory.path]));
  await waitUntil(async () => (await monitor.get("/readyz")).status === 200, "all drivers to be ready");
});
afterAll(() => resources.disposeAsync());

test("a driver that is stopped and continued leaves an incident, in memory and in a file", async () => {
  await stopped.pause();
  await waitUntil(async () => (await get("/readyz/stopped.csi")).status === 500, "the failure");
  expect(await get("/readyz/stopped.csi")).toMatchObject({
    status: 500,
    body: expect.stringMatching(/^driver hung: /),
  });
  expect(await get("/readyz/ready.csi")).toEqual({ status: 200, body: "ready" });
  expect((await get("/readyz")).body).toStartWith("1 of 3 drivers are not ready: stopped.csi: driver hung: ");
  await waitUntil(async () => (await incidents())[0]?.verdict, "the inspection");
  stopped.resume();
  await waitUntil(async () => (await get("/readyz/stopped.csi")).status === 200, "the recovery");

  const [incident] = await incidents();
  expect(incident).toMatchObject({
    driver: "stopped.csi",
    reason: "hung",
    end: "recovered",
    verdict: "failed: hung at HTTP/2; process stopped (T)",
  });
  const document = JSON.parse((await get(`/api/v1/incidents/${incident?.id}`)).body);
  expect(schemaFaults(document)).toEqual([]);
  expect(document.events.map(({ kind }: { kind: string }) => kind)).toEqual(["failed", "ready"]);
  expect(document.inspection.steps.map(({ title }: { title: string }) => title)).toContain("resources");

  const [file = ""] = readdirSync(directory.path);
  expect(file).toBe(`incident-${incident?.id}.json`);
  expect(statSync(`${directory.path}/${file}`).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(`${directory.path}/${file}`, "utf8"))).toEqual(document);
  const lines = monitor.logLines.filter((line) => line.includes("incident"));
  expect(lines.map((line) => /\] "([^"]*)"/.exec(line)?.[1])).toEqual([
    "CSI driver failed: an incident is open",
    "CSI driver is ready again: its incident is closed",
  ]);
});

describe("over HTTP", () => {
  test.each([
    ["/healthz", 200, /^ok$/],
    ["/readyz/never.csi", 404, /^no such driver was seen$/],
    ["/readyz/a/b", 404, /^404 page not found$/],
    ["/api/v1/incidents/nothing", 404, /^404 page not found$/],
    ["/api/v1", 404, /^404 page not found$/],
    ["/api/v1/drivers/", 404, /^404 page not found$/],
    ["/../etc/passwd", 404, /^404 page not found$/],
    ["/%zz", 400, /^malformed path$/],
    ["/incidents/nothing", 404, /^404 page not found$/],
  ])("GET %s is %d", async (path, status, body) => {
    const answer = await get(path);
    expect({ status: answer.status, body: answer.body.trim() }).toEqual({ status, body: expect.stringMatching(body) });
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])("%s is refused", async (method) => {
    const answer = await monitor.get("/metrics", { method });
    expect({ status: answer.status, allow: answer.headers.get("allow") }).toEqual({ status: 405, allow: "GET, HEAD" });
  });

  test("HEAD has the status and the headers of GET, and no body", async () => {
    const answer = await monitor.get("/api/v1/incidents/none", { method: "HEAD" });
    const same = await monitor.get("/api/v1/incidents/none");
    const length = String((await same.text()).length);
    expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 404, body: "" });
    expect([answer, same].map(({ headers }) => headers.get("content-length"))).toEqual([length, length]);
  });

  test("the page has the drivers and links to the incidents, and may load its script alone", async () => {
    const answer = await monitor.get("/");
    const page = await answer.text();
    expect(answer.headers.get("content-security-policy")).toStartWith("default-src 'none'; style-src 'sha256-");
    expect(page).toContain("ready.csi");
    expect(page.match(/<script.*/g)).toEqual(['<script src="/refresh.js" defer></script>']);
    const script = await monitor.get("/refresh.js");
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    const [, link = ""] = /href="(\/incidents\/[^"]+)"/.exec(page) ?? [];
    const incident = await get(link);
    expect(incident.status).toBe(200);
    expect(incident.body).toContain("process stopped (T)");
  });

  test("/api/v1/drivers is the document of list, with what drivers say escaped", async () => {
    const { body } = await get("/api/v1/drivers");
    const document = JSON.parse(body);
    expect(schemaFaults(document)).toEqual([]);
    expect(document.kind).toBe("DriverList");
    expect(document.items.map(({ driver }: { driver: string }) => driver)).toContain(HOSTILE_NAME);
    expect(body).not.toContain("\u001b");
  });

  test("/metrics has the drivers' series, and a request probes nobody", async () => {
    const before = hostile.calls.length;
    const texts = await Promise.all(Array.from({ length: 50 }, () => get("/metrics")));
    await Promise.all(Array.from({ length: 50 }, () => get("/readyz")));
    expect(hostile.calls.length - before).toBeLessThanOrEqual(2);
    const families = parseExposition(texts[0]?.body ?? "");
    const ready = families.get("csi_node_driver_ready")?.samples ?? [];
    expect(ready.map(({ labels }) => labels["driver_name"]).toSorted()).toEqual(
      [`${HOSTILE_NAME}:${PLUGINS}/hostile.csi/csi.sock`, "ready.csi", "stopped.csi"].toSorted(),
    );
  });

  test.if(promtool !== undefined)("promtool has no complaint", async () => {
    const { body } = await get("/metrics");
    const child = Bun.spawn([promtool ?? "", "check", "metrics"], { stdin: new Blob([body]), stderr: "pipe" });
    expect({ code: await child.exited, stderr: await child.stderr.text() }).toEqual({ code: 0, stderr: "" });
  });

  test("5,000 clients that say nothing do not keep others out", async () => {
    const { port } = new URL(monitor.url);
    const idle = Array.from({ length: 5_000 }, () => connect(Number(port), "127.0.0.1").on("error", () => {}));
    await Promise.all(
      idle.map((socket) => new Promise((resolve) => void socket.once("connect", resolve).once("error", resolve))),
    );
    expect((await get("/healthz")).status).toBe(200);
    for (const socket of idle) socket.destroy();
  });
});

test("--serve=metrics serves no more than metrics and states", async () => {
  await using quiet = await startMonitor(["--serve=metrics"]);
  const statuses = await Promise.all(
    ["/metrics", "/healthz", "/readyz", "/api/v1/drivers", "/api/v1/incidents", "/", "/refresh.js"].map(
      async (path) => (await quiet.get(path)).status,
    ),
  );
  expect(statuses.map((status) => (status === 500 ? 200 : status))).toEqual([200, 200, 200, 404, 404, 404, 404]);
});

test("it closes its connections and ends with 0 on SIGTERM", async () => {
  await using ending = await startMonitor([]);
  ending.signal("SIGTERM");
  expect(await ending.exited).toEqual({ code: 0, signal: null });
});

const mayMount = usable("a full disk", ["unshare", "--mount", "true"]);

describe.concurrent("an incident that cannot be written is one warning, and watching goes on", () => {
  test("where the directory is gone", async () => {
    using place = temporaryDirectory();
    await failOnce(place.path, [], {}, () => {
      // Root may write whatever the mode says.
      rmSync(place.path, { recursive: true, force: true });
    });
    // Where it was, its own end removes it.
    await Bun.write(`${place.path}/.keep`, "");
  });

  test.if(mayMount)("where the disk is full, and nothing incomplete is left there", async () => {
    using place = temporaryDirectory();
    const fill = `mount -t tmpfs -o size=4k tmpfs ${place.path} && head -c 4096 /dev/zero >${place.path}/full`;
    const words = ["--mount", "/bin/sh", "-c", `${fill}; exec "$0" "$@"`, EXECUTABLE];
    await failOnce(place.path, words, { executable: "unshare" }, ({ pid }) => {
      expect(readdirSync(`/proc/${pid}/root${place.path}`)).toEqual(["full"]);
    });
  });
});

/** @param look called before the driver fails, and at the end */
async function failOnce(
  incidentDir: string,
  before: readonly string[],
  options: Parameters<typeof startSidecar>[1],
  look: (running: Sidecar) => void,
): Promise<void> {
  await using own = makeNode();
  makeKubeletRoot(own);
  own.directory(`${PLUGINS}/a.csi`);
  await using driver = await startControlledDriver(own.outer(`${PLUGINS}/a.csi/csi.sock`), "a.csi");
  const flags = ["--root", own.rootDir, "--incident-dir", incidentDir, "--incident-logs"];
  await using running = await startSidecar([...before, "monitor", ...FAST, ...flags], options);
  await waitUntil(async () => (await running.get("/readyz")).status === 200, "the driver to be ready");
  look(running);
  driver.mode = "unavailable";
  await running.waitForLog((line) => line.includes("An incident could not be written to its file"));
  driver.mode = "ready";
  await running.waitForLog((line) => line.includes("CSI driver is ready again"));
  expect(running.logLines.filter((line) => line.includes("could not be written"))).toHaveLength(1);
  look(running);
}

test.each([
  [
    "a node that has no driver",
    makeKubeletRoot,
    /"No CSI driver was found yet" lookedAt=\["\/var\/lib\/kubelet: 0 sockets/,
  ],
  [
    "a root that is no node",
    () => undefined,
    /"No CSI driver was found yet" lookedAt=\["\/var\/lib\/kubelet: no such directory/,
  ],
])("of %s, the log says where it was looked", async (_, make, warning) => {
  await using own = makeNode();
  make(own);
  await using running = await startSidecar(["monitor", ...FAST, "--root", own.rootDir]);
  await waitUntil(() => running.logLines.find((line) => warning.test(line)), "the warning");
});

test("no driver is ready where there is none", async () => {
  await using own = makeNode();
  makeKubeletRoot(own);
  await using running = await startSidecar(["monitor", ...FAST, "--root", own.rootDir]);
  const answer = await running.get("/readyz");
  expect({ status: answer.status, body: await answer.text() }).toEqual({
    status: 500,
    body: "no CSI driver was found",
  });
});

describe("a command line that cannot work is refused in one line, and nothing else is logged", () => {
  test.each<readonly [readonly string[], string]>([
    [["--interval=4s"], '--interval must be at least 5s, got "4s"'],
    [["--interval=5s", "--probe-timeout=6s"], '--probe-timeout must be at most --interval 5s, got "6s"'],
    [["--serve=page"], '--serve must be all or metrics, got "page"'],
    [["--logging-format=xml"], '--logging-format must be text or json, got "xml"'],
    [["--http-endpoint=nowhere"], '--http-endpoint must be host:port or :port, got "nowhere"; write nowhere:9809'],
    [["--incident-logs"], "--incident-logs needs --incident-dir: logs are written to files alone"],
    [
      ["--incident-dir=/nonexistent"],
      '--incident-dir must be a directory that can be written to, got "/nonexistent": it does not exist; create it, or mount a volume there',
    ],
    [
      [`--incident-dir=${EXECUTABLE}`],
      `--incident-dir must be a directory that can be written to, got "${EXECUTABLE}": it is not a directory; name one`,
    ],
    [["--root=/nonexistent"], "--root must be a directory, got /nonexistent: no such directory"],
    [
      ["--http-endpoint=192.0.2.1:80"],
      '--http-endpoint cannot listen on "192.0.2.1:80": this host has no such address; use one of its own, or :PORT for all of them',
    ],
  ])("%j", async (words, message) => {
    const { code, stderr } = await runSidecar(["monitor", "--http-endpoint=127.0.0.1:0", ...words]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${message}\n` });
  });
});

const FAST = ["--interval=5s", "--probe-timeout=1s", "--http-endpoint=127.0.0.1:0"];

function startMonitor(flags: readonly string[]): Promise<Sidecar> {
  return startSidecar(["monitor", "--root", node.rootDir, ...FAST, ...flags]);
}

async function get(path: string): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await monitor.get(path);
  return { status: answer.status, body: await answer.text() };
}

interface Summary {
  readonly id: string;
  readonly verdict?: string;
}

async function incidents(): Promise<readonly Summary[]> {
  const document: { readonly items: readonly Summary[] } = JSON.parse((await get("/api/v1/incidents")).body);
  expect(schemaFaults(document)).toEqual([]);
  return document.items;
}
