import { afterAll, beforeAll, expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { attempt } from "../../src/base/errors";
import { parseExposition, valueOf } from "../support/exposition";
import { waitUntil } from "../support/wait";
import { type Node, startNode } from "./node";
import { type Pod, apply, cgroupOf, containerOf, csiPod, outOfMemoryKills, podReady, processOf, readPod } from "./pods";

// `bun run test:kubelet` runs the other files meanwhile.

const SOAK_MS = 300_000;
const SIDECAR_ARGS = ["--csi-address=/csi/csi.sock", "--http-endpoint=:9808"];
/** As docs/deploying.md has it, but once a second. */
const LIVENESS = {
  initialDelaySeconds: 10,
  periodSeconds: 1,
  timeoutSeconds: 5,
  failureThreshold: 5,
};

const HTTP_LIVENESS = { ...LIVENESS, httpGet: { path: "/healthz", port: 9808 } };
/** As deploy/examples/node-exec-probe has it. */
const EXEC_PROBE = {
  driver: {
    livenessProbe: {
      ...LIVENESS,
      exec: {
        command: [
          "/livenessprobe/usr/lib/ld.so",
          "--library-path",
          "/livenessprobe/usr/lib",
          "/livenessprobe/usr/bin/livenessprobe",
          "check",
          "--csi-address=/csi/csi.sock",
          "--probe-timeout=3s",
        ],
      },
    },
    volumeMounts: [
      { name: "plugin-dir", mountPath: "/csi" },
      { name: "livenessprobe", mountPath: "/livenessprobe" },
    ],
  },
  volumes: [{ name: "livenessprobe", image: { reference: "registry.example/csi-livenessprobe:0.1.0" } }],
};

/** With the default of 3 s, a busy machine has 0.6 s left, and may not run the sidecar for so long. */
const SLOW = {
  driverArgs: ["--mode=slow 4000"],
  sidecar: { args: [...SIDECAR_ARGS, "--probe-timeout=5s"] },
  driver: { livenessProbe: { ...HTTP_LIVENESS, timeoutSeconds: 7 } },
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
  { kind: "with the exec probe", name: "exec", options: EXEC_PROBE, probes: 100 },
  {
    kind: "that takes 80 % of the probe timeout",
    name: "slow",
    options: SLOW,
    probes: 50,
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
  const driver = { livenessProbe: HTTP_LIVENESS };
  await apply(
    node,
    ...DRIVERS.map(({ name, options }) => csiPod(name, { driver, sidecar: { args: SIDECAR_ARGS }, ...options })),
  );
  for (const { name } of DRIVERS) await podReady(node, name);
  starve(processOf(await readPod(node, "starved"), "driver"));
  unread = await stopReading(await readPod(node, "unread"), "livenessprobe");
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
    const unhealthy = `--field-selector=reason=Unhealthy,involvedObject.name=${name}`;
    expect(await node.kubectl(["get", "events", unhealthy, "--output=jsonpath={.items[*].message}"])).toBe("");
    expect([probed("failed"), probed("unknown")]).toEqual([0, 0]);
    expect(probed("successful")).toBeGreaterThan(probes);
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

/** A container's log while nobody reads what the container writes. Dispose of it after the node. */
interface UnreadLog extends Disposable {
  /** Whether the pipe between the container and containerd has no room for another line. */
  isFull(): boolean;
}

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
/** What a pipe takes as a whole or not at all (PIPE_BUF in pipe(7)). */
const LINE = "x".repeat(4_095) + "\n";

/**
 * Puts a pipe in the place of a container's log file and reads nothing of it. containerd then blocks in its write, as
 * on a disk that hangs, and reads no more of the pipe that is the container's standard error; that one is filled.
 */
async function stopReading(pod: Pod, container: string): Promise<UnreadLog> {
  const { name, uid } = pod.metadata;
  const file = `/var/log/pods/default_${name}_${uid}/${container}/0.log`;
  rmSync(node.path(file));
  await node.run(["mkfifo", file]);
  const reader = openSync(node.path(file), O_RDONLY | O_NONBLOCK);
  await reopenLog(containerOf(pod, container).containerID?.replace("containerd://", "") ?? "");
  const writer = openSync(`/proc/${processOf(pod, container)}/fd/2`, O_WRONLY | O_NONBLOCK);
  const isFull = () => attempt(() => writeSync(writer, LINE)) === undefined;
  let roomMs = performance.now();
  const isStuck = () => {
    if (!isFull()) roomMs = performance.now();
    return performance.now() - roomMs > 1_000;
  };
  await waitUntil(isStuck, "containerd to read no more of the log");
  return {
    isFull,
    [Symbol.dispose]: () => {
      closeSync(reader);
      closeSync(writer);
    },
  };
}

/**
 * Has containerd open the log file of a container anew, as the kubelet does when it rotates it (CRI,
 * `ReopenContainerLog`).
 */
async function reopenLog(containerId: string): Promise<void> {
  const client = new Client(`unix:${node.path("/run/containerd/containerd.sock")}`, credentials.createInsecure());
  // The message's first field, a string of fewer than 128 bytes.
  const request = Buffer.from([0x0a, containerId.length, ...Buffer.from(containerId)]);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.makeUnaryRequest("/runtime.v1.RuntimeService/ReopenContainerLog", asItIs, asItIs, request, (error) =>
    error === null ? resolve() : reject(error),
  );
  await promise.finally(() => client.close());
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}
