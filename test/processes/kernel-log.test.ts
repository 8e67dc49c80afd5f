import { expect, test } from "bun:test";
import { countLoggedOomKills } from "../../src/processes/kernel-log";

const ID = "4f1c0a9e".repeat(8);
const UID = "befc8f89-94c3-420e-bfb8-ebca590cad09";
const OTHER_UID = "8f3a7c52-1b2d-4e5f-9a0b-c1d2e3f40516";
const BURSTABLE = "/kubepods.slice/kubepods-burstable.slice";
const SLICE = `${BURSTABLE}/kubepods-burstable-pod${UID.replaceAll("-", "_")}.slice`;
const POD = `/kubepods/burstable/pod${UID}`;
const FAKE = `,task_memcg=/kubepods/pod${OTHER_UID}`;

const killed = (limit: string, group: string) =>
  `6,3181,52937660099,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,${limit},task_memcg=${group},task=driver,pid=14319,uid=0\n`;

test.each([
  ["at the container's limit", [killed(`oom_memcg=${POD}/${ID}`, `${POD}/${ID}`)], 1],
  ["at the pod's limit", [killed(`oom_memcg=${POD}`, `${POD}/${ID}`)], 1],
  ["with systemd", [killed(`oom_memcg=${SLICE}/crio-${ID}.scope`, `${SLICE}/crio-${ID}.scope`)], 1],
  ["because the node ran out of memory", [killed("global_oom", `${POD}/${ID}`)], 1],
  ["twice", Array.from({ length: 2 }, () => killed(`oom_memcg=${POD}/${ID}`, `${POD}/${ID}`)), 2],
  ["in another pod", [killed(`oom_memcg=/kubepods/pod${OTHER_UID}`, `/kubepods/pod${OTHER_UID}/${ID}`)], 0],
  ["in no pod", [killed("oom_memcg=/system.slice", "/system.slice/a.service")], 0],
  ["in a line that a process has written", [killed("global_oom", `${POD}/${ID}`).replace(/^6/, "14")], 0],
  [
    "in a line that quotes another",
    [killed("global_oom", `${POD}/${ID}`).replace(";", ";EXT4-fs (sda): no device;")],
    0,
  ],
  ["in other lines", [`6,1,1,-;Memory cgroup out of memory: Killed process 14319 (driver)\n`, ""], 0],
])("the kernel's log tells of a pod's processes that were killed %s", (_, records, kills) => {
  expect(countLoggedOomKills(records, UID)).toBe(kills);
});

test("a group's name that looks like another pod's line counts for its own pod", () => {
  const made = `${POD}/${ID}${FAKE}`;
  const records = [killed(`oom_memcg=${made}`, `${made}/a`), killed(`oom_memcg=${POD}/${ID}`, made)];
  expect([UID, OTHER_UID].map((uid) => countLoggedOomKills(records, uid))).toEqual([2, 0]);
});
