import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { findRunningKubelets, rootDirOf } from "../../src/node/running-kubelets";
import { makeNode, type MadeNode } from "../support/made-node";

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

describe("running kubelets", () => {
  test("are known by their names", async () => {
    await using node = makeNode();
    addProcess(node, 1, "systemd", "/sbin/init\0--root-dir=/no\0");
    addProcess(node, 20, "kubelet", "/usr/bin/kubelet\0--root-dir=/data/kubelet\0");
    addProcess(node, 100, "k3s-server", "/usr/bin/k3s server");
    addProcess(node, 300, "kubelet", "/usr/bin/kubelet\0--root-dir=/data/kubelet\0");
    node.directory("/proc/tty");
    expect(await findRunningKubelets(node.outer("/proc"))).toEqual({
      pids: [20, 100, 300],
      rootDirs: ["/data/kubelet"],
    });
  });

  test("that hang are seen, though nothing of them is known", async () => {
    await using node = makeNode();
    node.file("/proc/20/comm", "kubelet\n");
    node.fifo("/proc/20/cmdline");
    expect(await findRunningKubelets(node.outer("/proc"))).toEqual({ pids: [20], rootDirs: [] });
  });

  test("are found among real processes", async () => {
    await using node = makeNode();
    // A process is called after the file that it was started from.
    node.link("/kubelet", Bun.which("sh") ?? "");
    const argv = [node.outer("/kubelet"), "-c", "echo; read line", "kubelet", `--root-dir=${node.rootDir}`];
    const child = Bun.spawn(argv, { stdin: "pipe", stdout: "pipe" });
    await child.stdout.getReader().read();
    const { pids, rootDirs } = await findRunningKubelets("/proc");
    child.kill();
    await child.exited;
    expect([pids, rootDirs]).toEqual([expect.arrayContaining([child.pid]), expect.arrayContaining([node.rootDir])]);
  });
});

function addProcess(node: MadeNode, pid: number, name: string, commandLine: string): void {
  node.file(join("/proc", `${pid}`, "comm"), `${name}\n`);
  node.file(join("/proc", `${pid}`, "cmdline"), commandLine);
}
