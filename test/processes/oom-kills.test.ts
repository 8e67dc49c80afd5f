import { describe, expect, test } from "bun:test";
import { parseCgroups, readOomKills } from "../../src/processes/cgroups";
import { createMountTable, parseMountInfo } from "../../src/node/mounts";
import { createRoot, type Root } from "../../src/node/rooted-path";
import { makeNode, type MadeNode } from "../support/made-node";

const ID = "4f1c0a9e".repeat(8);
const UID = "8f3a7c52_1b2d_4e5f_9a0b_c1d2e3f40516";
const POD = `kubepods-burstable-pod${UID}.slice`;
const PARENT = "/kubepods.slice/kubepods-burstable.slice";
const CONTAINER = `cri-containerd-${ID}.scope`;
const V2 = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
const V1 = "31 1 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
const EVENTS = (kills: number) => `low 0\nhigh 7\nmax 9\noom 5\noom_kill ${kills}\noom_group_kill 6\n`;

describe("in version 2", () => {
  test("the container's kills are told, and the pod's", async () => {
    await using node = makeNode();
    addKills(node, `${PARENT}/${POD}`, 3);
    addKills(node, `${PARENT}/${POD}/${CONTAINER}`, 1);
    expect(killsOf(node, `0::${PARENT}/${POD}/${CONTAINER}`, V2)).toEqual({ container: 1, pod: 3 });
  });

  test("of a service there is no pod to tell", async () => {
    await using node = makeNode();
    addKills(node, "/system.slice", 9);
    addKills(node, "/system.slice/driver.service", 2);
    expect(killsOf(node, "0::/system.slice/driver.service", V2)).toEqual({ container: 2, pod: undefined });
  });

  test.each([
    ["systemd", `${PARENT}/${POD}/${CONTAINER}`, `/../../${POD}/${CONTAINER}`],
    [
      "systemd, and another class of pods",
      `${PARENT}/${POD}/${CONTAINER}`,
      `/../../../kubepods-burstable.slice/${POD}/${CONTAINER}`,
    ],
    ["no systemd", `/kubepods/besteffort/pod${UID}/${ID}`, `/../../pod${UID}/${ID}`],
  ])("a group seen from a cgroup namespace of our own is found, with %s", async (_, path, seen) => {
    await using node = makeNode();
    addKills(node, path, 4);
    expect(killsOf(node, `0::${seen}`, V2).container).toBe(4);
  });

  test("a mount of only a part of the hierarchy counts for that part", async () => {
    await using node = makeNode();
    const part = "30 1 0:26 /kubepods /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
    addKills(node, `/pod${UID}/${ID}`, 5);
    addKills(node, "/2/group", 6);
    expect(killsOf(node, `0::/kubepods/pod${UID}/${ID}`, part).container).toBe(5);
    expect(killsOf(node, "0::/kubepods2/group", part).container).toBeUndefined();
    expect(killsOf(node, "0::/other", part).container).toBeUndefined();
  });
});

describe("in version 1", () => {
  test("the container's kills are told, and not the pod's, which does not add them up", async () => {
    await using node = makeNode();
    const control = "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n";
    node.file(`/sys/fs/cgroup/memory/kubepods/pod${UID}/${ID}/memory.oom_control`, control);
    node.file(`/sys/fs/cgroup/memory/kubepods/pod${UID}/memory.oom_control`, control);
    const cgroups = `4:memory:/kubepods/pod${UID}/${ID}\n3:cpu:/kubepods/pod${UID}/${ID}\n0::/\n`;
    expect(killsOf(node, cgroups, V2, V1)).toEqual({ container: 2, pod: undefined });
  });
});

describe("nothing is told", () => {
  test.each([
    ["where no hierarchy is mounted", `0::${PARENT}/${POD}/${CONTAINER}`, []],
    ["where the group is gone", "0::/gone", [V2]],
    ["where the process is in no group", "", [V2]],
    [
      "where version 1 is mounted without memory",
      "4:memory:/a",
      ["31 1 0:27 / /sys/fs/cgroup rw - cgroup cgroup rw,cpu"],
    ],
  ])("%s", async (_, cgroups, mounts) => {
    await using node = makeNode();
    addKills(node, `${PARENT}/${POD}/${CONTAINER}`, 1);
    addKills(node, "/a", 1);
    expect(killsOf(node, cgroups, ...mounts)).toEqual({ container: undefined, pod: undefined });
  });

  test("where the file says nothing of kills, as before Linux 4.13", async () => {
    await using node = makeNode();
    node.file("/sys/fs/cgroup/a/memory.events", "low 0\noom 1\n");
    expect(killsOf(node, "0::/a", V2).container).toBeUndefined();
  });
});

function addKills(node: MadeNode, group: string, kills: number): void {
  node.file(`/sys/fs/cgroup${group}/memory.events`, EVENTS(kills));
}

function killsOf(node: MadeNode, cgroups: string, ...mounts: readonly string[]) {
  return readOomKills(rootWith(node, mounts), parseCgroups(cgroups));
}

function rootWith(node: MadeNode, mounts: readonly string[]): Root {
  return createRoot(node.rootDir, createMountTable(parseMountInfo(mounts.join("\n"))));
}
