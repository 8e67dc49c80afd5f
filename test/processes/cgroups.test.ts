import { describe, expect, test } from "bun:test";
import { containerIdsOf, parseCgroups, podCgroupOf } from "../../src/processes/cgroups";

const ID = "4f1c0a9e".repeat(8);
const OTHER_ID = "0123abcd".repeat(8);
const UID = "8f3a7c52-1b2d-4e5f-9a0b-c1d2e3f40516";
const SYSTEMD_UID = UID.replaceAll("-", "_");
const STATIC_UID = "33d556edd3ae8ef21980288cef77ae8b";
const SLICE = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${SYSTEMD_UID}.slice`;

describe("a cgroup file", () => {
  test("of version 2 has one line", () => {
    expect(parseCgroups("0::/a/b\n")).toEqual([{ controllers: [], path: "/a/b" }]);
  });

  test("of version 1 has one for each hierarchy, named ones among them", () => {
    expect(parseCgroups("12:cpu,cpuacct:/a\n1:name=systemd:/b:c\n")).toEqual([
      { controllers: ["cpu", "cpuacct"], path: "/a" },
      { controllers: ["name=systemd"], path: "/b:c" },
    ]);
  });

  test.each(["", "nonsense", "0::", "x::/a"])("%j has none", (text) => {
    expect(parseCgroups(text)).toEqual([]);
  });
});

describe("pod and container are known", () => {
  test.each([
    ["containerd with systemd", `${SLICE}/cri-containerd-${ID}.scope`],
    ["CRI-O with systemd", `${SLICE}/crio-${ID}.scope`],
    ["Docker with systemd", `${SLICE}/docker-${ID}.scope`],
    ["a guaranteed pod", `/kubepods.slice/kubepods-pod${SYSTEMD_UID}.slice/cri-containerd-${ID}.scope`],
    ["a group of the container's own below", `${SLICE}/crio-${ID}.scope/container`],
    ["containerd without systemd", `/kubepods/burstable/pod${UID}/${ID}`],
    ["a guaranteed pod without systemd", `/kubepods/pod${UID}/${ID}`],
    ["CRI-O without systemd", `/kubepods/besteffort/pod${UID}/crio-${ID}`],
    ["kubelet with systemd, containerd without", `/system.slice/kubepods-pod${SYSTEMD_UID}.slice:cri-containerd:${ID}`],
    [
      "a node that is a container itself",
      `/system.slice/docker-${OTHER_ID}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${SYSTEMD_UID}.slice/cri-containerd-${ID}.scope`,
    ],
    ["a cgroup namespace of our own", `/../../kubepods-burstable-pod${SYSTEMD_UID}.slice/cri-containerd-${ID}.scope`],
  ])("with %s", (_, path) => {
    expect(containerIdsOf([{ controllers: [], path }])).toEqual({ podUid: UID, containerId: ID });
  });

  test("for a static pod", () => {
    const path = `/kubepods/burstable/pod${STATIC_UID}/${ID}`;
    expect(containerIdsOf([{ controllers: [], path }])).toEqual({ podUid: STATIC_UID, containerId: ID });
  });

  test("from whichever hierarchy tells most", () => {
    const cgroups = parseCgroups(`3:cpu:/\n2:memory:/kubepods/pod${UID}\n1:pids:/kubepods/pod${UID}/${ID}\n0::/\n`);
    expect(containerIdsOf(cgroups)).toEqual({ podUid: UID, containerId: ID });
  });
});

describe("not everything is told", () => {
  test.each([
    ["a service", "/system.slice/kubelet.service", undefined, undefined],
    ["the root", "/", undefined, undefined],
    ["the pod alone", `/kubepods/burstable/pod${UID}`, UID, undefined],
    ["a container without a pod", `/system.slice/docker-${ID}.scope`, undefined, undefined],
    ["another container of our own pod", `/../cri-containerd-${ID}.scope`, undefined, ID],
    ["CRI-O's monitor of a container", `${SLICE}/crio-conmon-${ID}.scope`, UID, undefined],
    ["a name that only begins like a pod's", `/podman-${ID}x/pod${UID}x`, undefined, undefined],
  ])("by %s: %s", (_, path, podUid, containerId) => {
    expect(containerIdsOf([{ controllers: [], path }])).toEqual({ podUid, containerId });
  });
});

describe("a group that a process has made below its own gives it no other name:", () => {
  test.each([
    ["another container", `${SLICE}/cri-containerd-${ID}.scope/cri-containerd-${OTHER_ID}.scope`, UID, ID],
    ["another pod", `${SLICE}/crio-${ID}.scope/kubepods/pod${STATIC_UID}/${OTHER_ID}`, UID, ID],
    ["a pod in a user's slice", `/user.slice/user-65532.slice${SLICE}/crio-${ID}.scope`, undefined, undefined],
    ["a container in a user's slice", `/user.slice/user-65532.slice/crio-${ID}.scope`, undefined, undefined],
    ["a container in a service's", `/system.slice/a.service/cri-containerd-${ID}.scope`, undefined, undefined],
    ["a container in a service's, seen from ours", `/../../a.service/cri-containerd-${ID}.scope`, undefined, undefined],
  ])("%s", (_, path, podUid, containerId) => {
    expect(containerIdsOf([{ controllers: [], path }])).toEqual({ podUid, containerId });
  });
});

test.each([
  [`${SLICE}/cri-containerd-${ID}.scope`, SLICE],
  [`${SLICE}/crio-${ID}.scope/container`, SLICE],
  [`/kubepods/burstable/pod${UID}/${ID}`, `/kubepods/burstable/pod${UID}`],
  [`/kubepods/burstable/pod${UID}`, undefined],
  ["/system.slice/kubelet.service", undefined],
])("of %s the pod's group is %p", (path, group) => {
  expect(podCgroupOf(path)).toBe(group as string);
});
