import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RELEASE_DIRECTORY, RELEASE_NAMES } from "../../scripts/release/files";
import { waitUntil } from "../support/wait";
import { applyExample } from "./examples";
import { KUBECONFIG, type Node, startNode } from "./node";
import { type Pod, apply, cgroupOf, containerOf, csiPod, podReady, processOf, readPod } from "./pods";

/** What these tests read of `list -o json`. */
interface Listed {
  readonly driver: string;
  readonly state: string;
  readonly listener?: { readonly namespace?: string; readonly pod?: string; readonly container?: string };
}

const PLUGIN_FOLDER = join(import.meta.dirname, "../../deploy/kubectl");
/** The executable that is in the image. */
const LIVENESSPROBE = join(RELEASE_DIRECTORY, RELEASE_NAMES.amd64);

let node: Node;
beforeAll(async () => {
  node = await startNode();
});
afterAll(async () => node[Symbol.asyncDispose]());

test.each([
  { kind: "with an address of its own", name: "own", hostNetwork: false },
  { kind: "on the host's network", name: "host", hostNetwork: true },
])("list tells a pod $kind, its namespace and its container, after a restart too", async ({ name, hostNetwork }) => {
  await apply(node, csiPod(name, { hostNetwork }));
  const pod = await podReady(node, name);
  const listener = { namespace: "default", pod: name, container: "driver" };
  expect(await listed(name)).toMatchObject({ state: "ready", listener });
  process.kill(processOf(pod, "driver"), "SIGKILL");
  await podReady(node, name, (now) => containerOf(now, "driver").restartCount === 1);
  expect(await listed(name)).toMatchObject({ state: "ready", listener });
});

test("inspect prints kubectl lines for the log of a driver, and they work", async () => {
  // Without a liveness probe, since it is to stay stopped.
  await apply(node, csiPod("stuck", { driver: { livenessProbe: undefined } }));
  await stop(await podReady(node, "stuck"));
  expect(await logOf("stuck")).toContain('"listening"');
  process.kill(processOf(await readPod(node, "stuck"), "driver"), "SIGKILL");
  const restarted = await podReady(node, "stuck", (now) => containerOf(now, "driver").restartCount === 1);
  await stop(restarted);
  expect(await logOf("stuck")).toContain('"listening"');
});

/** Without probes, containers are ready before the driver listens. */
async function stop(pod: Pod): Promise<void> {
  const { name } = pod.metadata;
  await waitUntil(async () => (await inspected(name)).endsWith("\nready\n"), "the driver to answer");
  process.kill(processOf(pod, "driver"), "SIGSTOP");
}

test("inspect counts the out-of-memory kills of a driver's pod, before and after the driver itself is killed", async () => {
  const driver = { livenessProbe: undefined, resources: { limits: { memory: "64Mi" } } };
  // One Probe takes more than there is, and it is the step of inspect after the counts.
  await apply(node, csiPod("hungry", { driverArgs: ["--leak-mib=64"], driver }));
  await exhaustMemory(processOf(await podReady(node, "hungry"), "driver"));
  expect(await killsOf("hungry")).toStartWith("1 out-of-memory kill in its container, 1 out-of-memory kill in its pod");
  const pod = await podReady(node, "hungry", (now) => containerOf(now, "driver").restartCount === 1);
  expect(containerOf(pod, "driver").lastState.terminated?.reason).toBe("OOMKilled");
  expect(await killsOf("hungry")).toStartWith("2 out-of-memory kills in its pod");
});

/** What `inspect` says of kills, once it finds the driver's process. */
async function killsOf(name: string): Promise<string> {
  const kills = () => inspected(name).then((shown) => /^ok +process .*?(\d+ out-of-memory.*)$/m.exec(shown)?.[1]);
  return waitUntil(kills, "inspect to tell of kills");
}

/**
 * Runs a process in the control group of another one until the kernel kills it, and no other, because memory ran out.
 */
async function exhaustMemory(pid: number): Promise<void> {
  const eat = 'echo $$ >"$0/cgroup.procs" && echo 1000 >/proc/self/oom_score_adj && exec tail /dev/zero';
  const eater = Bun.spawn(["sh", "-c", eat, cgroupOf(pid, "memory").path]);
  await eater.exited;
  expect(eater.signalCode).toBe("SIGKILL");
}

/** What the command prints that `inspect` gives for the log of a driver that hangs. */
async function logOf(name: string): Promise<string> {
  const shown = await inspected(name);
  const [, args = ""] = /^ *kubectl (logs .*)$/m.exec(shown) ?? [];
  expect(args).toStartWith(`logs -n default ${name} -c driver`);
  return node.kubectl(args.split(" "));
}

/** The driver is not ready in some of these tests, so the exit code is not looked at. */
async function inspected(name: string): Promise<string> {
  const command = '"$0" inspect "$1" --probe-timeout=1s || true';
  return node.run(["sh", "-c", command, LIVENESSPROBE, `/var/lib/kubelet/plugins/${name}.csi.example/csi.sock`]);
}

async function listed(name: string): Promise<Listed> {
  const list = await node.run([LIVENESSPROBE, "list", "--output=json", `--driver=${name}.csi.example`]);
  // docs/output.schema.json
  const { items } = JSON.parse(list) as { readonly items: readonly Listed[] };
  const [item] = items;
  if (item === undefined) throw new Error(`list has no ${name}.csi.example: ${list}`);
  return item;
}

describe("kubectl csi", () => {
  test("inspects a privileged driver through a debug pod, and deletes that", async () => {
    await apply(node, csiPod("privileged", { driver: { securityContext: { privileged: true } } }));
    await podReady(node, "privileged");
    // A pod that only claims to be the monitor's is not trusted.
    await node.kubectl(["label", "pod", "privileged", "app.kubernetes.io/name=csi-node-monitor"]);
    const shown = await csi(["inspect", "node", "privileged.csi.example"]);
    expect(shown).toContain(" in pod default/privileged, container driver ");
    expect(shown).toEndWith("\nready\nexit code 0\n");
    await waitUntil(async () => (await debugPods()) === 0, "the debug pod to be gone");
  });

  test("says in a line why a debug pod does not start, and deletes it", async () => {
    const shown = await csi(["list", "node", "--image=registry.example/pause:v1"]);
    expect(shown).toMatch(
      /^kubectl csi: the debug pod does not start on node: .*no such file or directory; is --image=.*$/m,
    );
    expect(shown).toEndWith("exit code 1\n");
    expect(await debugPods()).toBe(0);
  });

  test("lists the drivers of all nodes, and reports, through the monitor's pods", async () => {
    const [name = ""] = await applyExample(node, "monitor");
    await podReady(node, name, undefined, "csi-node-monitor");
    const shown = await csi(["list", "--probe-timeout=1s"]);
    expect(shown).toMatch(/^Node: node\nDRIVER .*\n/);
    expect(shown).toMatch(/^privileged\.csi\.example +1\.0\.0 +ready .* default\/privileged +driver /m);
    const file = join(node.directory, "report.json");
    expect(await csi(["report", "node", "-o", file, "--probe-timeout=1s"])).toBe(
      `kubectl csi: wrote ${file}\nexit code 0\n`,
    );
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
      kind: "Report",
      versions: {
        kubelets: [{ version: expect.stringMatching(/^v1\.\d+\.\d+$/) }],
        containerRuntimes: [{ socket: expect.stringMatching(/containerd\.sock$/) }],
      },
      inspections: expect.arrayContaining([
        expect.objectContaining({ driver: "privileged.csi.example", state: "ready" }),
      ]),
      notes: [],
    });
  });
});

/** How many there are. */
async function debugPods(): Promise<number> {
  // core/v1
  const { items } = JSON.parse(await node.read("/api/v1/namespaces/kube-system/pods")) as { readonly items: object[] };
  return items.length;
}

/** Both streams of `kubectl csi`, and the exit code. kubectl finds the plugin in PATH. */
async function csi(words: readonly string[]): Promise<string> {
  const command = 'PATH="$0:$PATH" kubectl csi "$@" 2>&1; echo "exit code $?"';
  return node.run(["sh", "-c", command, PLUGIN_FOLDER, ...words, `--kubeconfig=${KUBECONFIG}`]);
}
