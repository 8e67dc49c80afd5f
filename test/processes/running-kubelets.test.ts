import { describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync } from "node:fs";
import { findRunningRootDirs, rootDirOf, seesNodeProcesses } from "../../src/processes/running-kubelets";
import { makeNode, type MadeNode } from "../support/made-node";
import { NOBODY_UID } from "../support/socket-cases";

describe("--root-dir", () => {
  test.each([
    ["not given", ["kubelet", "--v=2"], undefined],
    ["with an equals sign", ["kubelet", "--root-dir=/data/kubelet"], "/data/kubelet"],
    ["as the next word", ["kubelet", "--v", "2", "--root-dir", "/data/kubelet"], "/data/kubelet"],
    ["with one dash", ["kubelet", "-root-dir=/data/kubelet"], "/data/kubelet"],
    ["given twice", ["kubelet", "--root-dir=/a", "--root-dir=/b"], "/b"],
    ["relative", ["kubelet", "--root-dir=data"], undefined],
    ["without a value", ["kubelet", "--root-dir"], undefined],
    ["of another program's", ["kubelet", "--not-root-dir=/a", "--root-dirs=/b"], undefined],
    ["of the kubelet in k3s", ["k3s", "agent", "--kubelet-arg=root-dir=/data"], "/data"],
    ["of the kubelet in k3s, as the next word", ["k3s", "agent", "--kubelet-arg", "--root-dir=/data"], "/data"],
    ["next to the kubelet's other flags in k3s", ["k3s", "--kubelet-arg=v=4", "--kubelet-arg=root-dir=/d"], "/d"],
  ])("%s: %j", (_, argv, rootDir) => {
    expect(rootDirOf(argv)).toBe(rootDir as string);
  });
});

interface Named {
  readonly executable: string;
  readonly comm?: string;
  readonly uid?: number;
  readonly cgroup?: string;
}

const POD_CGROUP = `0::/kubepods.slice/kubepods-pod${"1".repeat(8)}_1111_1111_1111_${"1".repeat(12)}.slice/x.scope`;

describe("a process is taken for a kubelet", () => {
  test.each<readonly [string, boolean, Named]>([
    ["by its executable", true, { executable: "/usr/bin/kubelet" }],
    ["whatever it calls itself", true, { executable: "/usr/bin/kubelet", comm: "k" }],
    ["though its executable was replaced", true, { executable: "/usr/bin/kubelet (deleted)" }],
    ["of k3s", true, { executable: "/var/lib/rancher/k3s/data/1/bin/k3s" }],
    ["of MicroK8s", true, { executable: "/snap/microk8s/1/kubelite" }],
    ["in a container that is the node", true, { executable: "/kubelet", cgroup: `0::/docker/${"a".repeat(64)}` }],
    ["by its name alone: not", false, { executable: "/usr/bin/sleep", comm: "kubelet" }],
    ["by a directory's name: not", false, { executable: "/kubelet/sleep" }],
    ["of another user: not", false, { executable: "/usr/bin/kubelet", uid: 65_532 }],
    ["in a pod: not", false, { executable: "/usr/bin/kubelet", cgroup: POD_CGROUP }],
  ])("%s", async (_, isKubelet, process) => {
    await using node = makeNode();
    addProcess(node, 20, process);
    expect(await findRunningRootDirs(node.outer("/proc"))).toEqual(isKubelet ? ["/data/kubelet"] : []);
    expect(seesNodeProcesses(node.outer("/proc"))).toBe(isKubelet ? "yes" : "no");
  });
});

describe("running kubelets", () => {
  test("that say the same count once", async () => {
    await using node = makeNode();
    for (const pid of [20, 30]) addProcess(node, pid, { executable: "/kubelet" });
    node.directory("/proc/tty");
    expect(await findRunningRootDirs(node.outer("/proc"))).toEqual(["/data/kubelet"]);
  });

  test("that hang say nothing", async () => {
    await using node = makeNode();
    addProcess(node, 20, { executable: "/kubelet" }, () => node.fifo("/proc/20/cmdline"));
    expect(await findRunningRootDirs(node.outer("/proc"))).toEqual([]);
  });

  test.if(process.getuid?.() === 0)("are found among real processes, and who takes their name is not", async () => {
    await using node = makeNode();
    const kubelet = node.outer("/bin/kubelet");
    node.directory("/bin");
    copyFileSync("/bin/sh", kubelet);
    chmodSync(kubelet, 0o755);
    const start = async (dir: string, uid: number) => {
      const argv = [kubelet, "-c", "echo; read line", "kubelet", `--root-dir=${node.outer(dir)}`];
      const child = Bun.spawn(argv, { stdin: "pipe", stdout: "pipe", uid, gid: uid });
      await child.stdout.getReader().read();
      return child;
    };
    const children = [await start("/real", 0), await start("/false", NOBODY_UID)];
    const rootDirs = await findRunningRootDirs("/proc");
    for (const child of children) child.kill();
    await Promise.all(children.map(({ exited }) => exited));
    expect(rootDirs.filter((path) => path.startsWith(node.rootDir))).toEqual([node.outer("/real")]);
  });
});

function addProcess(
  node: MadeNode,
  pid: number,
  { executable, comm = "kubelet", uid = 0, cgroup = "0::/system.slice/kubelet.service" }: Named,
  addArguments = () => node.file(`/proc/${pid}/cmdline`, "/usr/bin/kubelet\0--root-dir=/data/kubelet\0"),
): void {
  node.link(`/proc/${pid}/exe`, executable);
  node.file(`/proc/${pid}/comm`, `${comm}\n`);
  node.file(`/proc/${pid}/status`, `Name:\t${comm}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`);
  node.file(`/proc/${pid}/cgroup`, `${cgroup}\n`);
  addArguments();
}
