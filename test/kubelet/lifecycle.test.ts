import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitUntil } from "../support/wait";
import { belongings, leftovers, mounts } from "./leftovers";
import { type Node, startNode } from "./node";
import {
  LIVENESS_SECONDS,
  apply,
  cgroupFile,
  containerOf,
  csiPod,
  eventsOf,
  outOfMemoryKills,
  podReady,
  processOf,
  readPod,
} from "./pods";

let node: Node;
beforeAll(async () => {
  node = await startNode();
});
afterAll(async () => node[Symbol.asyncDispose]());

// It leaves no process, namespace, mount, control group or file.
test.concurrent("a node leaves nothing behind when it is disposed of, with a pod", async () => {
  const before = mounts();
  const ended = await startNode();
  await apply(ended, csiPod("left"));
  await podReady(ended, "left");
  using had = { ...belongings(ended.directory, ended.cgroup, ended.pid), mounts: before };
  expect(leftovers(had)).not.toEqual([]);
  await ended[Symbol.asyncDispose]();
  expect(leftovers(had)).toEqual([]);
});

test.concurrent("a node leaves nothing behind when the process that started it gets Ctrl-C", async () => {
  const holder = Bun.spawn([process.execPath, join(import.meta.dirname, "hold-node.ts")], { stdout: "pipe" });
  const { value } = await holder.stdout.getReader().read();
  // Written by hold-node.ts.
  const held = JSON.parse(new TextDecoder().decode(value)) as Pick<Node, "directory" | "cgroup" | "pid">;
  using had = belongings(held.directory, held.cgroup, held.pid);
  holder.kill("SIGINT");
  await holder.exited;
  await waitUntil(
    () => leftovers(had).length === 0,
    () => `these to go: ${leftovers(had).join(", ")}`,
  );
});

test.concurrent("a node that cannot be started says so, and does not hang", async () => {
  const started = startNode(async (directory) => writeFileSync(join(directory, "broken.tar"), ""));
  await expect(started).rejects.toThrow("node.sh did not start the kubelet");
});

test.concurrent.each([
  { kind: "a pod with an address of its own", name: "hung", hostNetwork: false },
  { kind: "a pod on the host's network", name: "hung-host", hostNetwork: true },
])("a hung driver in $kind is restarted, its sidecar is not, at a limit of 32Mi", async ({ name, hostNetwork }) => {
  await apply(node, csiPod(name, { hostNetwork }));
  const pod = await podReady(node, name);
  const sidecar = processOf(pod, "livenessprobe");
  process.kill(processOf(pod, "driver"), "SIGSTOP");
  const stoppedMs = Date.now();
  const restarted = await podReady(node, name, (now) => containerOf(now, "driver").restartCount === 1);

  const events = await eventsOf(node, name);
  const [killing] = events.filter(({ reason }) => reason === "Killing");
  // The start of the new container is the machine's: seconds on a busy one.
  expect(Date.parse(killing?.firstTimestamp ?? "") - stoppedMs).toBeLessThan((LIVENESS_SECONDS + 3) * 1_000);
  expect(containerOf(restarted, "driver").lastState.terminated?.exitCode).toBe(137);
  expect(containerOf(restarted, "livenessprobe").restartCount).toBe(0);
  expect(outOfMemoryKills(sidecar)).toBe(0);
  const [, shown = ""] = /^Warning  Unhealthy  (.* HTTP .*)$/m.exec(DEPLOYING) ?? [];
  expect(events.map(({ message }) => message)).toContain(shown);
});

const DEPLOYING = readFileSync(join(import.meta.dirname, "../../docs/deploying.md"), "utf8");
const GO_SIDECAR = "registry.example/livenessprobe:v2.19.0";
/** As in the Go sidecar's own manifest, where the kubelet gives up at the time at which a probe does. */
const UPSTREAM = {
  driver: {
    ports: [{ name: "healthz", containerPort: 9808, protocol: "TCP" }],
    livenessProbe: {
      httpGet: { path: "/healthz", port: "healthz" },
      initialDelaySeconds: 10,
      timeoutSeconds: 3,
      periodSeconds: 2,
      failureThreshold: 5,
      // A stopped driver does not end before.
      terminationGracePeriodSeconds: 1,
    },
  },
  sidecar: {
    image: GO_SIDECAR,
    args: ["--csi-address=/csi/csi.sock", "--health-port=9808", "--probe-timeout=3s"],
  },
};

test.concurrent(
  "the image of the Go sidecar is swapped, nothing else: a healthy driver is left alone, a hung one is restarted",
  async () => {
    const [go, ours] = ["upstream", "swapped"];
    await apply(node, csiPod(go, UPSTREAM), csiPod(ours, UPSTREAM));
    const probed = async (name: string) => {
      await podReady(node, name);
      const before = await probes(name);
      await waitUntil(async () => (await probes(name)) >= before + 3, `three probes of ${name}`);
      expect(containerOf(await readPod(node, name), "driver").restartCount).toBe(0);
    };
    await Promise.all([probed(go), probed(ours)]);

    await node.kubectl(["set", "image", `pod/${ours}`, "livenessprobe=registry.example/csi-livenessprobe:0.1.0"]);
    await podReady(node, ours, (now) => containerOf(now, "livenessprobe").restartCount === 1);
    await Promise.all([probed(go), probed(ours)]);

    const secondsToRestart = async (name: string) => {
      process.kill(processOf(await readPod(node, name), "driver"), "SIGSTOP");
      const stopped = performance.now();
      await podReady(node, name, (now) => containerOf(now, "driver").restartCount === 1);
      return (performance.now() - stopped) / 1_000;
    };
    const [theirs, own] = await Promise.all([secondsToRestart(go), secondsToRestart(ours)]);
    const [, logged = ""] = /^E.*?\] (.*)$/m.exec(DEPLOYING) ?? [];
    const log = await node.kubectl(["logs", ours, "--container=livenessprobe"]);
    // A busy machine takes a few milliseconds more.
    expect(log.replace(/within 3[\d.]*s/, "within 3s")).toContain(
      logged.replace("my.csi.example", `${ours}.csi.example`),
    );
    expect(Math.abs(theirs - own)).toBeLessThan(2 * UPSTREAM.driver.livenessProbe.timeoutSeconds);
  },
);

/** How often a driver was asked, by its log. */
async function probes(name: string): Promise<number> {
  const log = await node.read(`/api/v1/namespaces/default/pods/${name}/log?container=driver`);
  return log.split('"/csi.v1.Identity/Probe"').length - 1;
}

test("the sidecar of a pod that is deleted ends with exit code 0 within 2 s", async () => {
  // The finalizer keeps what the kubelet said last.
  await apply(node, csiPod("deleted", { finalizers: ["csi.example/keep"] }));
  const sidecar = processOf(await podReady(node, "deleted"), "livenessprobe");
  const start = performance.now();
  await node.kubectl(["delete", "pod", "deleted", "--wait=false"]);
  await waitUntil(() => cgroupFile(sidecar) === "", "the sidecar to end");
  expect(performance.now() - start).toBeLessThan(2_000);

  const terminated = await waitUntil(
    async () => containerOf(await readPod(node, "deleted"), "livenessprobe").state.terminated,
    "the kubelet to say how the sidecar ended",
  );
  expect(terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
  // SIGTERM is what the kubelet tells as Killing, once. What outlives its grace period ends with 137.
  const killing = (await eventsOf(node, "deleted")).filter(({ reason }) => reason === "Killing");
  expect(killing.map(({ message }) => message).toSorted()).toEqual([
    "Stopping container driver",
    "Stopping container livenessprobe",
  ]);
  await node.kubectl(["patch", "pod", "deleted", "--type=merge", '--patch={"metadata":{"finalizers":null}}']);
});
