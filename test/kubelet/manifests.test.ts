import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { waitUntil } from "../support/wait";
import { EXAMPLES, applyExample } from "./examples";
import { type Node, startNode } from "./node";
import { cgroupFile, containerOf, eventsOf, podReady, processOf, readPod, registeredDrivers } from "./pods";

const NAMESPACE = "my-csi-driver";
const POD = "my-csi-driver-node";

const DEPLOYING = readFileSync(join(import.meta.dirname, "../../docs/deploying.md"), "utf8");

let node: Node;
beforeAll(async () => {
  node = await startNode();
});
afterAll(async () => node[Symbol.asyncDispose]());
// The examples have one pod, and its driver one directory and one registration.
afterEach(async () => {
  await node.kubectl(["delete", "pods,events", `--namespace=${NAMESPACE}`, "--all", "--grace-period=5"]);
  rmSync(node.path("/var/lib/kubelet/plugins_registry/go.csi.test-reg.sock"), { force: true });
  await waitUntil(async () => (await registeredDrivers(node)).length === 0, "the driver to be unregistered");
});

test.each(["node", "node-startup", "node-selinux", "node-affinity"])(
  "deploy/examples/%s runs as it is, and the kubelet registers its driver",
  async (example) => {
    await applyExample(node, example);
    const pod = await podReady(node, POD, undefined, NAMESPACE);
    expect(containerOf(pod, "driver").restartCount).toBe(0);
    await isRegistered();
  },
);

test("deploy/examples/node-affinity keeps the pod off a node that is labelled as docs/platforms.md says", async () => {
  const label = "csi-livenessprobe";
  await node.kubectl(["label", "node", "node", `${label}=unsupported`]);
  await applyExample(node, "node-affinity");
  await waitUntil(async () => {
    const { status } = await readPod(node, POD, NAMESPACE);
    return status.phase === "Failed" && status.reason === "NodeAffinity";
  }, "the kubelet to refuse the pod");
  await node.kubectl(["label", "node", "node", `${label}-`]);
});

test("deploy/examples/node-readiness: the API server takes it; no pod starts, since the reporter is another project's", async () => {
  const said = await node.kubectl(["apply", "--kustomize", join(EXAMPLES, "node-readiness"), "--output=name"]);
  expect(said.trim().split("\n").toSorted()).toEqual([
    "clusterrole.rbac.authorization.k8s.io/csi-node-reporter",
    "clusterrolebinding.rbac.authorization.k8s.io/csi-node-reporter",
    "daemonset.apps/csi-node-monitor",
    "namespace/csi-node-monitor",
    "serviceaccount/csi-node-monitor",
    "serviceaccount/csi-node-reporter",
  ]);
});

test("deploy/examples/controller runs as it is, as uid 65532 and in a restricted namespace", async () => {
  await applyExample(node, "controller/deployment.yaml");
  const name = "my-csi-driver-controller";
  const pod = await podReady(node, name, undefined, name);
  const sidecar = processOf(pod, "livenessprobe");
  expect(await Bun.file(`/proc/${sidecar}/status`).text()).toMatch(/^Uid:\t65532\t/m);
  // Without a readiness probe, the pod is ready before the sidecar listens.
  const url = `/api/v1/namespaces/${name}/pods/${name}:9808/proxy/healthz`;
  await waitUntil(async () => (await node.read(url).catch(String)) === "ok", "the sidecar to answer for its driver");
});

test("deploy/examples/node-native-sidecar runs as it is, and the sidecar ends after its driver", async () => {
  await applyExample(node, "node-native-sidecar/daemonset.yaml");
  const pod = await podReady(node, POD, undefined, NAMESPACE);
  await isRegistered();
  const [driver, sidecar] = [processOf(pod, "driver"), processOf(pod, "livenessprobe")];
  const registrar = processOf(pod, "node-driver-registrar");
  process.kill(driver, "SIGSTOP");
  await node.kubectl(["delete", "pod", POD, `--namespace=${NAMESPACE}`, "--wait=false"]);
  // All containers but the sidecar were told to end: one has ended, one cannot.
  await waitUntil(() => cgroupFile(registrar) === "", "the registrar to end");
  expect(cgroupFile(sidecar)).not.toBe("");
  process.kill(driver, "SIGCONT");
  await waitUntil(() => cgroupFile(driver) === "", "the driver to end");
  await waitUntil(() => cgroupFile(sidecar) === "", "the sidecar to end");
});

test.each(["node-exec-probe", "node-exec-probe-install"])(
  "deploy/examples/%s runs as it is, and the kubelet's event has the reason",
  async (example) => {
    await applyExample(node, example);
    const pod = await podReady(node, POD, undefined, NAMESPACE);
    process.kill(processOf(pod, "driver"), "SIGSTOP");
    const seen = await waitUntil(async () => {
      const events = await eventsOf(node, POD, NAMESPACE);
      return events.find(({ reason }) => reason === "Unhealthy")?.message;
    }, "the kubelet to find the driver dead");
    expect(seen).toStartWith("Liveness probe failed: driver hung: ");
    // A busy machine takes a few milliseconds more.
    const shown = seen.trimEnd().replace(/within 3[\d.]*s/, "within 3s");
    expect(DEPLOYING.split("\n")).toContain(`Warning  Unhealthy  ${shown}`);
    process.kill(processOf(await readPod(node, POD, NAMESPACE), "driver"), "SIGCONT");
  },
);

async function isRegistered(): Promise<void> {
  await waitUntil(async () => (await registeredDrivers(node)).includes("go.csi.test"), "the driver's CSINode");
}
