import { describe, expect, test } from "bun:test";
import { chownSync } from "node:fs";
import { parseCgroups } from "../../src/processes/cgroups";
import { findPod } from "../../src/processes/pod";
import { makeNode, type MadeNode } from "../support/made-node";
import { rootOf } from "../support/made-node-root";
import { NOBODY_UID } from "../support/socket-cases";

const ID = "4f1c0a9e".repeat(8);
const UID = "8f3a7c52-1b2d-4e5f-9a0b-c1d2e3f40516";
const CGROUPS = `0::/kubepods/burstable/pod${UID}/${ID}\n`;
const LOGS = `/var/log/pods/kube-system_a-csi-node-x2v9k_${UID}`;
const POD = { uid: UID, containerId: ID, namespace: "kube-system", name: "a-csi-node-x2v9k", restarted: false };

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
    // Kubernetes allows this name.
    node.file(`${LOGS}/undefined/1.log`);
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
      restarted: false,
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

describe("a name that Kubernetes does not allow is not used:", () => {
  const unknown = {
    uid: UID,
    containerId: ID,
    namespace: undefined,
    name: undefined,
    container: undefined,
    restarted: false,
  };
  test.each<[string, (node: MadeNode) => void]>([
    ["a command in a link to a log", (node) => node.link(`/var/log/containers/$(id)_ns_c-${ID}.log`, "/gone")],
    ["a namespace with a dot in it", (node) => node.link(`/var/log/containers/a_n.s_c-${ID}.log`, "/gone")],
    ["a container in capitals", (node) => node.link(`/var/log/containers/a_ns_C-${ID}.log`, "/gone")],
    ["a flag for a pod", (node) => node.link(`/var/log/containers/--all_ns_c-${ID}.log`, "/gone")],
    ["a part too many", (node) => node.link(`/var/log/containers/a_ns_c_d-${ID}.log`, "/gone")],
    ["a pod of 254 bytes by the runtime", (node) => node.file(`/run/containerd/${TASK}`, annotated("a".repeat(254)))],
    ["an escape sequence by the runtime", (node) => node.file(`/run/containerd/${TASK}`, annotated("a\u001b[2J"))],
    ["a command in a directory of logs", (node) => node.directory(`/var/log/pods/ns_$(id)_${UID}`)],
    ["a container's directory of logs", (node) => node.directory(`/var/lib/kubelet/pods/${UID}/containers/$(id)`)],
  ])("%s", async (_, make) => {
    await using node = makeNode();
    make(node);
    expect(podOn(node)).toEqual(unknown);
  });

  test("nor do two names for one container count", async () => {
    await using node = makeNode();
    node.link(`/var/log/containers/a_ns_c-${ID}.log`, "/gone");
    node.link(`/var/log/containers/b_ns_c-${ID}.log`, "/gone");
    expect(podOn(node)).toEqual(unknown);
  });

  test("and a better one is", async () => {
    await using node = makeNode();
    node.link(`/var/log/containers/$(id)_ns_c-${ID}.log`, "/gone");
    node.link(`/var/log/containers/a-csi-node-x2v9k_kube-system_driver-${ID}.log`, "/gone");
    expect(podOn(node)).toEqual({ ...POD, container: "driver" });
  });
});

test.if(process.getuid?.() === 0)("a group of another user's is no pod's, whatever its name", async () => {
  await using node = makeNode();
  const group = `/system.slice/a.service/kubepods/pod${UID}`;
  const cgroups = `0::${group}/${ID}\n`;
  node.directory(`/sys/fs/cgroup${group}`);
  expect(podOn(node, cgroups)).toMatchObject({ uid: UID });
  chownSync(node.outer(`/sys/fs/cgroup${group}`), NOBODY_UID, NOBODY_UID);
  expect(podOn(node, cgroups)).toBeUndefined();
});

test.each([
  ["by the log of its second run", ["1.log"], true],
  ["by the logs of two runs", ["0.log", "1.log"], true],
  ["not by the log of its first", ["0.log"], false],
  ["not by a log that was rotated", ["0.log", "0.log.20261125-093327"], false],
  ["not without a log", [], false],
])("a container was restarted: %s", async (_, logs, restarted) => {
  await using node = makeNode();
  node.directory(`${LOGS}/driver`);
  for (const log of logs) node.file(`${LOGS}/driver/${log}`);
  expect(podOn(node)).toMatchObject({ container: "driver", restarted });
});

function annotated(name: string): string {
  return JSON.stringify({ annotations: { ...CONTAINERD, "io.kubernetes.cri.sandbox-name": name } });
}

function podOn(node: MadeNode, cgroups = CGROUPS) {
  return findPod(rootOf(node), parseCgroups(cgroups), ["/var/lib/kubelet"]);
}
