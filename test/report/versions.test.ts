import { describe, expect, test } from "bun:test";
import { createMountTable } from "../../src/node/mounts";
import { createRoot } from "../../src/node/rooted-path";
import { readKubernetesVersion } from "../../src/report/kubelets";
import { readVersions } from "../../src/report/versions";
import { makeNode, type MadeNode } from "../support/made-node";

describe("the version of a kubelet, by its executable", () => {
  test.each<readonly [string, string, string | undefined]>([
    ["is the one string that the linker has set", "a v1.2.3 b\0v1.36.3\0v1.9.9", "v1.36.3"],
    ["may have more", "\0v1.31.2+k3s1\0", "v1.31.2+k3s1"],
    ["may be there twice", "\0v1.36.3\0a\0v1.36.3\0", "v1.36.3"],
    ["may lie between two pieces that are read", `${" ".repeat(1_048_576 - 4)}\0v1.36.3\0`, "v1.36.3"],
    ["is not known where there are two", "\0v1.36.3\0a\0v1.36.4\0", undefined],
    ["is not known where there is none", "v1.36.3", undefined],
  ])("%s", async (_, text, version) => {
    await using node = makeNode();
    node.file("/kubelet", text);
    expect(await readKubernetesVersion(node.outer("/kubelet"))).toBe(version as string);
  });

  test("is not known where it cannot be read", async () => {
    expect(await readKubernetesVersion("/no/such")).toBeUndefined();
  });
});

describe("the container runtime's socket", () => {
  test.each<readonly [string, (node: MadeNode) => void, readonly string[], readonly object[]]>([
    [
      "by a flag of the kubelet",
      () => {},
      ["kubelet", "--container-runtime-endpoint=unix:///run/a.sock"],
      [{ socket: "/run/a.sock", origin: "flag" }],
    ],
    [
      "by the last flag, as the next word",
      () => {},
      ["kubelet", "--container-runtime-endpoint=a", "--container-runtime-endpoint", "/run/b.sock"],
      [{ socket: "/run/b.sock", origin: "flag" }],
    ],
    [
      "by the kubelet's configuration",
      (node) => node.file("/var/lib/kubelet/config.yaml", 'a: b\ncontainerRuntimeEndpoint: "unix:///run/c.sock"\n'),
      [],
      [{ socket: "/run/c.sock", origin: "config" }],
    ],
    [
      "by another file of the kubelet's",
      (node) => node.file("/etc/k.yaml", "containerRuntimeEndpoint: unix:///run/d.sock # comment\n"),
      ["kubelet", "--config=/etc/k.yaml"],
      [{ socket: "/run/d.sock", origin: "config" }],
    ],
    [
      "by its usual path, once",
      (node) => {
        node.staleSocket("/run/containerd/containerd.sock");
        node.staleSocket("/run/crio/crio.sock");
        node.file("/run/k0s/containerd.sock");
      },
      ["kubelet", "--container-runtime-endpoint=/run/crio/crio.sock"],
      [
        { socket: "/run/crio/crio.sock", origin: "flag" },
        { socket: "/run/containerd/containerd.sock", origin: "known" },
      ],
    ],
    ["is not known", () => {}, ["kubelet"], []],
  ])("%s", async (_, make, argv, containerRuntimes) => {
    await using node = makeNode();
    make(node);
    const view = { root: createRoot(node.rootDir, createMountTable([])), procDir: node.outer("/proc") };
    const running = argv.length === 0 ? [] : [{ pid: 20, argv }];
    expect(await readVersions(view, running)).toMatchObject({ versions: { containerRuntimes, os: undefined } });
  });
});

test("what is there and cannot be read is noted", async () => {
  await using node = makeNode();
  node.fifo("/etc/os-release");
  node.file("/usr/lib/os-release", 'NAME="a"\nPRETTY_NAME="A 1"\n');
  node.link("/etc/k.yaml", "k.yaml");
  const view = { root: createRoot(node.rootDir, createMountTable([])), procDir: node.outer("/proc") };
  expect(await readVersions(view, [{ pid: 20, argv: ["kubelet", "--config", "/etc/k.yaml"] }])).toMatchObject({
    versions: { os: "A 1" },
    notes: [
      "/etc/os-release was not read: it is no regular file",
      "the executable of the kubelet, pid 20, does not tell its version, or cannot be read",
      "/etc/k.yaml was not read: its links lead back to themselves",
    ],
  });
});
