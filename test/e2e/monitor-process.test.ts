import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";
import { EXECUTABLE } from "../support/executable";
import { valueOf } from "../support/exposition";
import { findFaketime, offsetClock } from "../support/faketime";
import { kubeletNode, startIn } from "../support/listed-node";
import { makeKubeletRoot, makeNode } from "../support/made-node";
import { startControlledDriver } from "../support/controlled-driver";
import { FAST, inspected, ready, scrape, startMonitor, startNamed, textOf } from "../support/monitor";
import { startSidecar } from "../support/sidecar";
import { usable } from "../support/usable";
import { waitUntil } from "../support/wait";

// Processes start slowly on a busy machine.
setDefaultTimeout(240_000);

const library = await findFaketime();

test.concurrent("a monitor that is stopped and continued calls no driver hung", async () => {
  await using node = kubeletNode();
  await using drivers = new AsyncDisposableStack();
  const names = ["a.csi", "b.csi", "c.csi", "d.csi"];
  for (const name of names) {
    const driver = drivers.use(await startIn(node, "grpc-js", name));
    // So that a probe is under way most of the time.
    await driver.send("mode slow 700");
  }
  await using monitor = await startMonitor(node);
  await ready(monitor);
  for (let round = 0; round < 8; round += 1) {
    monitor.signal("SIGSTOP");
    // Longer than --probe-timeout.
    await Bun.sleep(1_500);
    monitor.signal("SIGCONT");
    await Bun.sleep(round * 150);
  }
  const probes = async (result: string) =>
    names.map(async (name) =>
      valueOf(await scrape(monitor), "csi_node_driver_probes_total", { driver_name: name, result }),
    );
  const before = await Promise.all(await probes("ready"));
  await waitUntil(
    async () => (await Promise.all(await probes("ready"))).every((count, at) => (count ?? 0) > (before[at] ?? 0)),
    "a probe of each",
  );
  expect(await Promise.all(await probes("failed"))).toEqual([0, 0, 0, 0]);
  expect(JSON.parse(await textOf(monitor, "/api/v1/incidents")).items).toEqual([]);
});

test
  .if(usable("a monitor without free descriptors", ["prlimit", "--nofile"]))
  .concurrent("a monitor without free descriptors knows nothing, and calls no driver failed", async () => {
    await using node = kubeletNode();
    await using driver = await startNamed(node, "a.csi");
    await using monitor = await startMonitor(node, ["--logging-format=json", "-v=5"]);
    await ready(monitor);
    const limit = (soft: string) => Bun.spawnSync(["prlimit", `--pid=${monitor.pid}`, `--nofile=${soft}:`]);
    limit("3");
    await monitor.waitForLog((line) => line.includes("CSI driver cannot be asked"));
    // It is no fault of the driver's, which is asked no less often.
    const inVain = () => monitor.logLines.filter((line) => line.includes('"result":"unknown"')).length;
    await waitUntil(() => inVain() >= 5, "more probes in vain");
    limit("1024");
    await ready(monitor);
    const families = await scrape(monitor);
    expect(valueOf(families, "csi_node_driver_probes_total", { result: "failed" })).toBe(0);
    expect(JSON.parse(await textOf(monitor, "/api/v1/incidents")).items).toEqual([]);
    expect(driver.connections.maxOpen).toBe(1);
  });

test.if(usable("a directory that cannot be written to for now", ["unshare", "--mount", "true"])).concurrent.each([
  ["is read-only, as after an error of the disk", "ro", "the file system is read-only; mount it writable"],
  ["has no room for one more file", "nr_inodes=1", "the disk is full; make room there"],
])("an incident directory that %s is a warning at the start, and watching begins", async (_, mountOptions, why) => {
  using directory = temporaryDirectory();
  await using node = kubeletNode();
  await using driver = await startNamed(node, "a.csi");
  const mount = `mount -t tmpfs -o ${mountOptions} tmpfs ${directory.path}; exec "$0" "$@"`;
  const flags = ["--root", node.rootDir, "--incident-dir", directory.path];
  await using monitor = await startSidecar(
    ["--mount", "--propagation=private", "sh", "-ec", mount, EXECUTABLE, "monitor", ...FAST, ...flags],
    { executable: "unshare" },
  );
  await ready(monitor);
  driver.mode = "unavailable";
  await inspected(monitor);
  const [warning, again, ...others] = monitor.logLines.filter((line) => line.startsWith("W"));
  expect(warning).toMatch(new RegExp(`"Incidents cannot be written to files" flag="--incident-dir" error="${why}"`));
  expect(again).toContain("An incident could not be written to its file");
  expect(others).toEqual([]);
});

test.skipIf(library === undefined).concurrent.each([
  ["forward", "+86400"],
  ["back", "-86400"],
])(
  "when the wall clock is set %s by a day, probes go on, and an incident lasts as long as it did",
  async (_, offset) => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "offset");
    writeFileSync(file, "+0");
    const env = offsetClock(library, file);
    await using node = kubeletNode();
    await using driver = await startNamed(node, "a.csi");
    await using monitor = await startMonitor(node, [], { env });
    await ready(monitor);
    driver.mode = "unavailable";
    await monitor.waitForLog((line) => line.includes("an incident is open"));
    writeFileSync(file, offset);
    driver.mode = "ready";
    const line = await monitor.waitForLog((each) => each.includes("its incident is closed"));
    expect(line).toMatch(/ lasted="[\d.]+m?s"/);
    await ready(monitor);
    expect((await monitor.get("/healthz")).status).toBe(200);
    const { length } = driver.calls;
    await waitUntil(() => driver.calls.length > length, "one more probe");
    const [incident] = JSON.parse(await textOf(monitor, "/api/v1/incidents")).items;
    expect(incident).toMatchObject({ end: "recovered" });
  },
);

test.concurrent("a driver's process has started at one time, whichever monitor looks", async () => {
  await using node = kubeletNode();
  await using _ = await startIn(node, "grpc-js", "a.csi");
  const seen = new Set<number | undefined>();
  for (let round = 0; round < 4; round += 1) {
    // oxlint-disable no-await-in-loop -- one after the other
    await using monitor = await startMonitor(node);
    await ready(monitor);
    seen.add(valueOf(await scrape(monitor), "csi_node_driver_process_start_time_seconds"));
    // oxlint-enable no-await-in-loop
  }
  const [started, ...others] = seen;
  expect(others).toEqual([]);
  expect(started).toBeWithin(Date.now() / 1_000 - 300, Date.now() / 1_000 + 2);
});

test.concurrent("--driver, --kubelet-dir twice, --logging-format=json and -v=5 do what they say", async () => {
  await using node = makeNode();
  await using drivers = new AsyncDisposableStack();
  const place = (directory: string, name: string) => {
    makeKubeletRoot(node, directory);
    node.directory(`${directory}/plugins/${name}`);
    return node.outer(`${directory}/plugins/${name}/csi.sock`);
  };
  drivers.use(await startControlledDriver(place("/data/one", "other.csi"), "other.csi"));
  drivers.use(await startControlledDriver(place("/data/two", "a.csi"), "a.csi"));
  const flags = ["--driver=a.csi", "--kubelet-dir=/data/one", "--kubelet-dir=/data/two"];
  await using monitor = await startMonitor(node, [...flags, "--logging-format=json", "-v=5"]);
  await ready(monitor);
  const { items } = JSON.parse(await textOf(monitor, "/api/v1/drivers"));
  expect(items).toMatchObject([{ driver: "a.csi", socket: "/data/two/plugins/a.csi/csi.sock" }]);
  const line = await monitor.waitForLog((each) => each.includes("Probed the CSI driver") && each.includes('"a.csi"'));
  expect(JSON.parse(line)).toMatchObject({ driver: "a.csi", result: "ready" });
  expect((await monitor.get("/readyz/other.csi")).status).toBe(404);
});
