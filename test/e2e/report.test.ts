import { expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";
import { startDriver } from "../support/drivers";
import { EXECUTABLE } from "../support/executable";
import { kubeletNode, PLUGINS, placeIn, startIn } from "../support/listed-node";
import type { MadeNode } from "../support/made-node";
import { mayMount, mountTelling } from "../support/made-node-mount";
import { startPython } from "../support/made-node-process";
import { schemaFaults } from "../support/output-schema";
import { runSidecar } from "../support/sidecar";
import { waitUntil } from "../support/wait";

interface Report {
  readonly redacts: boolean;
  readonly redactions: readonly { readonly where: string; readonly kind: string; readonly count: number }[];
  readonly drivers: { readonly items: readonly { readonly socket: string; readonly state: string }[] };
  readonly inspections: readonly { readonly socket: string; readonly state: string; readonly verdict: string }[];
  readonly incidents: readonly { readonly id: string; readonly driver?: string }[];
  readonly notes: readonly string[];
}

/** Each in a place of its own, none of which may be in a report. */
const SECRETS = ["hunter2a", "hunter2b", "hunter2c", "hunter2d", "hunter2e", "hunter2f", "alice"];
const MESSAGE = "login failed: password=hunter2a, url https://alice:hunter2b@a.example, Authorization: Bearer hunter2c";
const VENDOR_VERSION = "1.0 token=hunter2d";

test("a report has the list, each inspection and what is known of the node", async () => {
  await using node = kubeletNode();
  await using _ = await startIn(node, "grpc-js", "a.csi");
  node.staleSocket(`${PLUGINS}/b.csi/csi.sock`);
  const { code, stderr, report } = await reportOf(node);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(report).toMatchObject({
    redacts: true,
    redactions: [],
    versions: { livenessprobe: { version: expect.any(String) }, kernel: expect.stringMatching(/^\d/) },
    drivers: {
      items: [
        { driver: "b.csi", state: "failed" },
        { driver: "a.csi", state: "ready" },
      ],
    },
    inspections: [
      { socket: `${PLUGINS}/b.csi/csi.sock`, verdict: "failed: nobody_listens at connect" },
      { socket: `${PLUGINS}/a.csi/csi.sock`, verdict: "ready" },
    ],
    incidents: [],
    notes: expect.arrayContaining(["no incidents of a monitor at localhost:1: nobody listens there"]),
  });
});

test("no secret that a driver tells is in a report, and the report lists what was cut", async () => {
  await using node = kubeletNode();
  await using _ = await startDriver("grpc-js", {
    name: "a.csi",
    vendorVersion: VENDOR_VERSION,
    socketPath: placeIn(node, "a.csi"),
    mode: `status 16 ${MESSAGE}`,
  });
  const { code, stdout, report } = await reportOf(node);
  expect(code).toBe(0);
  expect(SECRETS.filter((secret) => stdout.includes(secret))).toEqual([]);
  expect(stdout).toContain("login failed: password=[redacted]");
  expect(report.redactions).toContainEqual({ where: "drivers.items[0].vendorVersion", kind: "named secret", count: 1 });
  expect(report.redactions).toContainEqual({ where: "drivers.items[0].message", kind: "URL credentials", count: 1 });
});

test("--redact=off shows them, and says so first", async () => {
  await using node = kubeletNode();
  await using _ = await startDriver("grpc-js", {
    vendorVersion: VENDOR_VERSION,
    socketPath: placeIn(node, "a.csi"),
  });
  const { stderr, report, stdout } = await reportOf(node, ["--redact=off"]);
  expect(stderr).toStartWith("warning: with --redact=off the report has all mount options");
  expect(report.redacts).toBe(false);
  expect(stdout).toContain("hunter2d");
});

test("drivers and a monitor that hang do not keep it from ending", async () => {
  await using node = kubeletNode();
  const names = Array.from({ length: 10 }, (_, index) => `${index}.csi`);
  for (const name of names) await node.liveSocket(placeIn(node, name).slice(node.rootDir.length));
  using monitor = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Promise<Response>(() => {}) });
  const { code, report } = await reportOf(node, ["--probe-timeout=300ms", `--monitor=127.0.0.1:${monitor.port}`]);
  expect(code).toBe(0);
  expect(report.inspections.map(({ verdict }) => verdict)).toEqual(names.map(() => "failed: hung at HTTP/2"));
  expect(report.notes).toContain(
    `no incidents of a monitor at 127.0.0.1:${monitor.port}: it does not answer within 300ms`,
  );
});

test("a signal ends it, and leaves no file", async () => {
  await using node = kubeletNode();
  using place = temporaryDirectory();
  await node.liveSocket(placeIn(node, "a.csi").slice(node.rootDir.length));
  const words = ["report", "--root", node.rootDir, "--probe-timeout=1m", "-o", join(place.path, "report.json")];
  const child = Bun.spawn([EXECUTABLE, ...words]);
  await waitUntil(() => readdirSync(place.path).length > 0, "the file's part");
  child.kill("SIGTERM");
  expect(await child.exited).toBe(143);
  expect(readdirSync(place.path)).toEqual([]);
});

test("no secret of the node's files and processes is in a report: mounts, a driver's command line and its name", async () => {
  await using node = kubeletNode();
  addKubelet(node);
  node.directory(`${PLUGINS}/a.csi`);
  await using driver = await startPython(LISTEN_AS, [node.outer(`${PLUGINS}/a.csi/csi.sock`), "--password=hunter2e"]);
  node.link(`/proc/${driver.pid}`, `/proc/${driver.pid}`);
  const { stdout, report } = await reportOf(node, ["--probe-timeout=300ms"]);
  expect(SECRETS.filter((secret) => stdout.includes(secret))).toEqual([]);
  expect(report).toMatchObject({
    versions: {
      kubelets: [{ pid: 20, version: "v1.99.1" }],
      containerRuntimes: [{ socket: "/run/c.sock", origin: "flag" }],
    },
    drivers: { items: [{ reason: "hung", listener: { pid: driver.pid, command: "pw=[redacted]" } }] },
    mounts: [
      {
        type: "cifs",
        source: "//[redacted]@a.example/share",
        superOptions: ["rw", "vers=3.0", "username=[redacted]", "password=[redacted]", "addr=10.0.0.1"],
      },
    ],
  });
  expect(report.redactions).toContainEqual({ where: "mounts[0].superOptions", kind: "mount option", count: 2 });
});

test("no secret of an incident's file is in a report, and its log is left out", async () => {
  await using node = kubeletNode();
  using place = temporaryDirectory();
  const incident = {
    apiVersion: "livenessprobe/v1",
    kind: "Incident",
    id: "20261125T120000.000Z-1",
    socket: "/a",
    reason: "rpc_error",
    message: MESSAGE,
    openedAt: "2026-11-25T12:00:00.000Z",
    events: [{ at: "2026-11-25T12:00:00.000Z", kind: "failed", reason: "rpc_error", message: MESSAGE }],
    log: ["hunter2d", "hunter2e"],
  };
  writeFileSync(join(place.path, `incident-${incident.id}.json`), JSON.stringify(incident));
  const { stdout, report } = await reportOf(node, [`--incident-dir=${place.path}`]);
  expect(report.incidents).toMatchObject([{ id: incident.id, log: ["[redacted]"] }]);
  expect(SECRETS.filter((secret) => stdout.includes(secret))).toEqual([]);
  expect(report.redactions).toContainEqual({ where: "incidents[0].log", kind: "container log", count: 2 });
});

test("what cannot be read is a note", async () => {
  await using node = kubeletNode();
  node.fifo("/etc/os-release");
  const { code, report } = await reportOf(node, ["--incident-dir=/no/such"]);
  expect(code).toBe(0);
  expect(report.notes).toEqual([
    "/etc/os-release was not read: it is no regular file",
    "no running kubelet was found, so the mounts are those that are seen from here",
    "no incidents of a monitor at localhost:1: nobody listens there",
    "no incidents of /no/such: no such directory",
  ]);
});

test.if(mayMount("a volume that nothing may touch"))("a volume is listed, and nothing is asked of it", async () => {
  await using node = kubeletNode();
  const path = `${PLUGINS}/kubernetes.io/csi/a.csi/0123/globalmount`;
  node.directory(path);
  await using mount = await mountTelling(node.outer(path));
  const { report } = await reportOf(node);
  expect(report).toMatchObject({ mounts: [{ mountPoint: path, type: "fuse.silent" }] });
  expect(mount.requests()).toEqual([]);
});

test.each([
  ["json", '--output must be a file or -, got "json": a report is always JSON; drop the flag\n'],
  [
    "/no/such/report",
    '--output must be a file that can be written, got "/no/such/report": its directory does not exist; create it, or name another\n',
  ],
])("-o %s is refused in a line", async (file, stderr) => {
  expect(await runSidecar(["report", "-o", file])).toMatchObject({ code: 1, stdout: "", stderr });
});

test("-o FILE is written for its owner alone, and standard error says in a line what is in it", async () => {
  await using node = kubeletNode();
  using place = temporaryDirectory();
  await using _ = await startDriver("grpc-js", { vendorVersion: VENDOR_VERSION, socketPath: placeIn(node, "a.csi") });
  const path = join(place.path, "report.json");
  const ran = await runSidecar(["report", "--root", node.rootDir, "--monitor=none", "-o", path]);
  expect(ran).toMatchObject({
    code: 0,
    stdout: "",
    stderr: `wrote ${path}: 1 driver; redacted 2 texts: named secret (2)\n`,
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(schemaFaults(JSON.parse(readFileSync(path, "utf8")))).toEqual([]);
  expect(readdirSync(place.path)).toEqual(["report.json"]);
});

test.each([
  ["a directory that is not there", "/no/such/kubelet", "not every driver could be seen: see .drivers.notes"],
  ["a directory without drivers", undefined, "no driver was found: see .drivers.looked"],
])("-o FILE of %s says so on standard error", async (_, kubeletDir, said) => {
  using place = temporaryDirectory();
  const path = join(place.path, "report.json");
  const flags = ["--kubelet-dir", kubeletDir ?? place.path, "--monitor=none", "-o", path];
  const stderr = `wrote ${path}: 0 drivers; nothing was redacted; ${said}\n`;
  expect(await runSidecar(["report", ...flags])).toMatchObject({ code: 0, stderr });
});

/** Listens on the path given, after it has called itself by a secret. */
const LISTEN_AS = `
import socket, sys
open("/proc/self/comm", "w").write("pw=hunter2f")
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("ready", flush=True)
sys.stdin.read()
`;

/**
 * A process of a kubelet, with a volume in its mount table, below a /proc of the node's own that has the machine's
 * other processes.
 */
function addKubelet(node: MadeNode): void {
  const volume = "/var/lib/kubelet/pods/u/volumes/kubernetes.io~csi/pvc-1/mount";
  const options = "rw,vers=3.0,username=alice,password=hunter2a,addr=10.0.0.1";
  const line = `36 35 0:50 / ${volume} rw shared:1 - cifs //alice:hunter2b@a.example/share ${options}`;
  node.file("/bin/kubelet", "ELF\0v1.99.1\0");
  node.file("/proc/20/mountinfo", `${line}\n`);
  node.file("/proc/20/cmdline", "kubelet\0--container-runtime-endpoint=unix:///run/c.sock\0");
  node.file("/proc/20/status", "Name:\tkubelet\nUid:\t0\t0\t0\t0\n");
  node.file("/proc/20/cgroup", "0::/system.slice/kubelet.service\n");
  node.link("/proc/20/exe", node.outer("/bin/kubelet"));
  node.link("/proc/20/root", node.rootDir);
  node.link("/proc/20/ns/user", readlinkSync("/proc/self/ns/user"));
  for (const name of ["self", "net"]) node.link(`/proc/${name}`, `/proc/${name}`);
}

async function reportOf(node: MadeNode, flags: readonly string[] = []) {
  const { stdout, ...ended } = await runSidecar(["report", "--root", node.rootDir, "--monitor=localhost:1", ...flags]);
  const report: Report = JSON.parse(stdout);
  expect(schemaFaults(report)).toEqual([]);
  return { ...ended, stdout, report };
}
