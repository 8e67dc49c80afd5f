import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseExposition, valueOf } from "../support/exposition";
import { type Node, startNode } from "./node";
import { apply, cgroupOf, containerOf, csiPod, outOfMemoryKills, podReady, processOf, readPod } from "./pods";
import { type UnreadLog, stopReading } from "./unread-log";

// Bun sorts files by path before it hands them to its workers. This one takes longest, so its name is the first.

const SOAK_MS = 300_000;
const SIDECAR_ARGS = ["--csi-address=/csi/csi.sock", "--http-endpoint=:9808", "--probe-timeout=3s"];
/** As docs/deploying.md has it, but once a second. */
const LIVENESS = {
  httpGet: { path: "/healthz", port: 9808 },
  initialDelaySeconds: 10,
  periodSeconds: 1,
  timeoutSeconds: 5,
  failureThreshold: 5,
};

/** It takes all the CPU time that it gets. */
const GREEDY = {
  name: "greedy",
  image: "registry.example/pause:v1",
  command: ["/busybox", "sh", "-c", "while :; do :; done"],
};
/** Of one CPU, for a whole pod. */
const STARVED_SHARE = 0.05;

/** Healthy drivers, and how many probes each is to get at the least. */
const DRIVERS = [
  { kind: "with an address of its own", name: "plain", options: {}, probes: 200 },
  { kind: "on the host's network", name: "plain-host", options: { hostNetwork: true }, probes: 200 },
  // 2.4 s for each probe.
  {
    kind: "that takes 80 % of the probe timeout",
    name: "slow",
    options: { driverArgs: ["--mode=slow 2400"] },
    probes: 80,
  },
  { kind: "in a pod starved of CPU", name: "starved", options: { containers: [GREEDY] }, probes: 100 },
  {
    kind: "beside a sidecar whose log nobody reads",
    name: "unread",
    options: { sidecar: { args: [...SIDECAR_ARGS, "--v=5"] } },
    probes: 200,
  },
] as const;

let node: Node;
let unread: UnreadLog;
let startedMs: number;

beforeAll(async () => {
  node = await startNode();
  const driver = { livenessProbe: LIVENESS };
  await apply(
    node,
    ...DRIVERS.map(({ name, options }) => csiPod(name, { driver, sidecar: { args: SIDECAR_ARGS }, ...options })),
  );
  for (const { name } of DRIVERS) await podReady(node, name);
  starve(processOf(await readPod(node, "starved"), "driver"));
  unread = await stopReading(node, await readPod(node, "unread"), "livenessprobe");
  startedMs = performance.now();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  unread[Symbol.dispose]();
});

test.each(DRIVERS)(
  "a healthy driver $kind fails no probe in five minutes of one probe a second, and is not restarted",
  async ({ name, probes }) => {
    // The time is what is promised.
    await Bun.sleep(Math.max(0, startedMs + SOAK_MS - performance.now()));
    const metrics = parseExposition(await node.read("/api/v1/nodes/node/proxy/metrics/probes"));
    const probed = (result: string) =>
      valueOf(metrics, "prober_probe_total", { pod: name, probe_type: "Liveness", result }) ?? 0;
    expect([probed("failed"), probed("unknown")]).toEqual([0, 0]);
    expect(probed("successful")).toBeGreaterThan(probes);
    const unhealthy = `--field-selector=reason=Unhealthy,involvedObject.name=${name}`;
    expect(await node.kubectl(["get", "events", unhealthy, "--output=name"])).toBe("");
    const pod = await readPod(node, name);
    for (const container of ["driver", "livenessprobe"]) {
      expect(containerOf(pod, container)).toMatchObject({ restartCount: 0, ready: true });
      expect(outOfMemoryKills(processOf(pod, container))).toBe(0);
    }
  },
);

test("the starved pod waited for CPU time all the while, and the log was never read", async () => {
  const group = dirname(cgroupOf(processOf(await readPod(node, "starved"), "driver"), "cpu").path);
  const [, throttled] = /^nr_throttled (\d+)$/m.exec(readFileSync(join(group, "cpu.stat"), "utf8")) ?? [];
  // Ten periods a second.
  expect(Number(throttled)).toBeGreaterThan(SOAK_MS / 200);
  expect(unread.isFull()).toBe(true);
});

/** Limits the pod of a process to STARVED_SHARE. */
function starve(pid: number): void {
  const { path, version } = cgroupOf(pid, "cpu");
  const quota = String(STARVED_SHARE * 100_000);
  if (version === 1) writeFileSync(join(dirname(path), "cpu.cfs_quota_us"), quota);
  else writeFileSync(join(dirname(path), "cpu.max"), `${quota} 100000`);
}
