import { describe, expect, test } from "bun:test";
import { parseCgroups } from "../../src/node/cgroups";
import { findPod } from "../../src/node/pod";
import { makeNode, type MadeNode } from "../support/made-node";
import { rootOf } from "../support/made-node-root";

const ID = "4f1c0a9e".repeat(8);
const UID = "8f3a7c52-1b2d-4e5f-9a0b-c1d2e3f40516";
const CGROUPS = `0::/kubepods/burstable/pod${UID}/${ID}\n`;
const LOGS = `/var/log/pods/kube-system_a-csi-node-x2v9k_${UID}`;
const POD = { uid: UID, containerId: ID, namespace: "kube-system", name: "a-csi-node-x2v9k" };

const CONTAINERD = {
  "io.kubernetes.cri.container-type": "container",
  "io.kubernetes.cri.container-name": "driver",
  "io.kubernetes.cri.sandbox-name": "a-csi-node-x2v9k",
  "io.kubernetes.cri.sandbox-namespace": "kube-system",
  "io.kubernetes.cri.sandbox-uid": UID,
};
const CRIO = {
  "io.kubernetes.container.name": "driver",
  "io.kubernetes.pod.name": "a-csi-node-x2v9k",
  "io.kubernetes.pod.namespace": "kube-system",
  "io.kubernetes.pod.uid": UID,
};
const TASK = `io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`;

describe("a pod is known in full", () => {
  test.each<[string, (node: MadeNode) => void]>([
    [
      "by the kubelet's link to the container's log",
      (node) => node.link(`/var/log/containers/a-csi-node-x2v9k_kube-system_driver-${ID}.log`, `${LOGS}/driver/0.log`),
    ],
    ["by containerd", (node) => node.file(`/run/containerd/${TASK}`, JSON.stringify({ annotations: CONTAINERD }))],
    [
      "by containerd in k3s",
      (node) => node.file(`/run/k3s/containerd/${TASK}`, JSON.stringify({ annotations: CONTAINERD })),
    ],
    [
      "by CRI-O",
      (node) =>
        node.file(
          `/run/containers/storage/overlay-containers/${ID}/userdata/config.json`,
          JSON.stringify({ annotations: CRIO }),
        ),
    ],
    ["by its logs, where it has one container", (node) => node.directory(`${LOGS}/driver`)],
    [
      "by its logs, and the kubelet's directory of its containers",
      (node) => {
        node.directory(LOGS);
        node.directory(`/var/lib/kubelet/pods/${UID}/containers/driver`);
      },
    ],
  ])("%s", async (_, make) => {
    await using node = makeNode();
    // Others are there as well.
    node.directory(`/var/log/pods/default_other_${UID.replace("8", "9")}/web`);
    node.link(`/var/log/containers/other_default_web-${ID.replace("4", "5")}.log`, "/gone");
    make(node);
    expect(podOn(node)).toEqual({ ...POD, container: "driver" });
  });

  test("though its group tells only the container, as of one in our own pod", async () => {
    await using node = makeNode();
    node.file(`/run/containerd/${TASK}`, JSON.stringify({ annotations: CONTAINERD }));
    expect(podOn(node, `0::/../cri-containerd-${ID}.scope\n`)).toEqual({ ...POD, container: "driver" });
  });
});

describe("what cannot be told is not made up", () => {
  test("a container among several", async () => {
    await using node = makeNode();
    node.directory(`${LOGS}/driver`);
    node.directory(`${LOGS}/registrar`);
    expect(podOn(node)).toEqual({ ...POD, container: undefined });
  });

  test("the pod's names, where only the kubelet's directory is there", async () => {
    await using node = makeNode();
    node.directory(`/var/lib/kubelet/pods/${UID}/containers/driver`);
    expect(podOn(node)).toEqual({ ...POD, namespace: undefined, name: undefined, container: "driver" });
  });

  test.each([
    ["nothing at all", ""],
    ["half a file", '{"annotations":'],
    ["no annotations", "{}"],
    ["annotations of another kind", '{"annotations":null}'],
    ["some of them", '{"annotations":{"io.kubernetes.cri.sandbox-name":"a"}}'],
    ["one that is no text", JSON.stringify({ annotations: { ...CONTAINERD, "io.kubernetes.cri.container-name": 1 } })],
    ["something else", "[]"],
  ])("the runtime's file with %s", async (_, text) => {
    await using node = makeNode();
    node.file(`/run/containerd/${TASK}`, text);
    expect(podOn(node)).toEqual({
      uid: UID,
      containerId: ID,
      namespace: undefined,
      name: undefined,
      container: undefined,
    });
  });

  test("of a link to a log whose name was cut", async () => {
    await using node = makeNode();
    node.link(`/var/log/containers/a_b-${ID}.log`, "/gone");
    expect(podOn(node)?.name).toBeUndefined();
  });

  test.each([
    ["a service", "0::/system.slice/driver.service\n"],
    ["a container without a pod", `0::/system.slice/docker-${ID}.scope\n`],
    ["an unknown group", ""],
  ])("%s is in no pod", async (_, cgroups) => {
    await using node = makeNode();
    expect(podOn(node, cgroups)).toBeUndefined();
  });
});

function podOn(node: MadeNode, cgroups = CGROUPS) {
  return findPod(rootOf(node), parseCgroups(cgroups), ["/var/lib/kubelet"]);
}
