import { describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { findKubeletRoots, KNOWN_ROOTS } from "../../src/node/kubelet-roots";
import { createRoot } from "../../src/node/rooted-path";
import { makeKubeletRoot, makeNode } from "../support/made-node";
import { mayMount, mountTelling, run } from "../support/made-node-mount";
import { asNobody } from "../support/made-node-process";
import { rootOf, tableOf } from "../support/made-node-root";

describe("where kubelets are looked for", () => {
  test("the directories given, and nothing else", async () => {
    await using node = makeNode();
    for (const path of ["/one", "/two", "/running", "/var/lib/kubelet"]) node.directory(path);
    const { roots, lookedIn } = findKubeletRoots(rootOf(node), ["/two/", "/one"], ["/running"]);
    expect(roots).toEqual([
      { path: "/two", realPath: "/two" },
      { path: "/one", realPath: "/one" },
    ]);
    expect(lookedIn.map(({ path }) => path)).toEqual(["/two", "/one"]);
  });

  test("or else those of running kubelets, then every known one that is there", async () => {
    await using node = makeNode();
    for (const path of ["/running", ...KNOWN_ROOTS]) node.directory(path);
    const { lookedIn } = findKubeletRoots(rootOf(node), [], ["/running", "/var/lib/kubelet"]);
    expect(lookedIn.map(({ path, origin }) => [path, origin])).toEqual([
      ["/running", "kubelet"],
      ["/var/lib/kubelet", "kubelet"],
      ...KNOWN_ROOTS.slice(1).map((path) => [path, "known"]),
    ]);
  });

  test("each once, whatever leads to it", async () => {
    await using node = makeNode();
    makeKubeletRoot(node, "/mnt/data/kubelet");
    node.link("/var/lib/kubelet", "/mnt/data/kubelet");
    node.link("/var/data/kubelet", "../../mnt/data/kubelet");
    const { roots, lookedIn } = findKubeletRoots(rootOf(node), [], []);
    expect(roots).toEqual([{ path: "/var/lib/kubelet", realPath: "/mnt/data/kubelet" }]);
    expect(lookedIn.find(({ path }) => path === "/var/data/kubelet")?.outcome).toEqual({
      kind: "same",
      as: "/var/lib/kubelet",
    });
  });

  test("and it is told why one is not looked into", async () => {
    await using node = makeNode();
    node.file("/file");
    node.link("/loop", "loop");
    node.directory("/dead");
    node.directory("/here");
    const root = createRoot(node.rootDir, tableOf("/dead nfs4"));
    const { lookedIn } = findKubeletRoots(root, ["/none/kubelet", "/file", "/loop", "/dead", "/here"], []);
    expect(lookedIn).toMatchObject([
      { path: "/none/kubelet", outcome: { kind: "missing", path: "/none" } },
      { path: "/file", outcome: { kind: "notADirectory", path: "/file" } },
      { path: "/loop", outcome: { kind: "loop" } },
      { path: "/dead", outcome: { kind: "offLimits", mount: { fsType: "nfs4" } } },
      { path: "/here", origin: "flag", outcome: { kind: "found" } },
    ]);
  });
});

test.if(process.getuid?.() === 0)("another uid is told what it may not look into", async () => {
  await using node = makeNode();
  node.directory("/var/lib/kubelet");
  chmodSync(node.outer("/var/lib"), 0o700);
  const script = `import { findKubeletRoots } from "./src/node/kubelet-roots"; import { createRoot } from "./src/node/rooted-path";
    import { createMountTable } from "./src/node/mounts";
    const root = createRoot(${JSON.stringify(node.rootDir)}, createMountTable([]));
    console.log(JSON.stringify(findKubeletRoots(root, [], []).lookedIn[0]));`;
  expect(await asNobody(script)).toEqual({
    path: "/var/lib/kubelet",
    origin: "known",
    outcome: { kind: "notPermitted", path: "/var/lib/kubelet" },
  });
});

describe("volumes are off limits from then on", () => {
  const kubelet = "/var/lib/kubelet";

  test.each([
    ["a mount below the kubelet's root", `${kubelet}/plugins/x/csi.sock`, [`${kubelet}/plugins/x ext4`]],
    ["a mount right in it", `${kubelet}/plugins`, [`${kubelet}/plugins ext4`]],
    ["the directory of staged volumes", `${kubelet}/plugins/kubernetes.io/csi`, []],
    ["a link into it", `${kubelet}/plugins/link`, []],
    ["a link to a volume", "/link", [`${kubelet}/pods/1/volume ext4`]],
  ])("%s: %s", async (_, path, mounts) => {
    await using node = makeNode();
    makeKubeletRoot(node);
    for (const name of ["plugins/x", "plugins/kubernetes.io/csi", "pods/1/volume"])
      node.directory(`${kubelet}/${name}`);
    node.link(`${kubelet}/plugins/link`, "kubernetes.io/csi");
    node.link("/link", `${kubelet}/pods/1/volume`);
    const { root } = findKubeletRoots(createRoot(node.rootDir, tableOf(...mounts)), [], []);
    expect(root.resolve(path).kind).toBe("offLimits");
  });

  test.each(["plugins", "pods"])("also where %s is a link to another disk", async (name) => {
    await using node = makeNode();
    node.directory(kubelet);
    node.directory(`/disk/${name}/kubernetes.io`);
    node.directory(`/disk/${name}/volume`);
    node.link(`${kubelet}/${name}`, `/disk/${name}`);
    const mounts = tableOf("/disk ext4", `/disk/${name}/volume ext4`);
    const { root } = findKubeletRoots(createRoot(node.rootDir, mounts), [], []);
    expect(root.resolve(`/disk/${name}/volume`).kind).toBe("offLimits");
    expect(root.resolve(`/disk/${name}/kubernetes.io`).kind).toBe(name === "plugins" ? "offLimits" : "found");
    expect(root.resolve(`/disk/${name}`).kind).toBe("found");
  });

  test.each([
    ["the kubelet's root on a disk of its own", kubelet, [`${kubelet} xfs`]],
    ["what is in it", `${kubelet}/plugins/x`, [`${kubelet} xfs`]],
    ["a mount that only begins with the same letters", "/var/lib/kubelet2", ["/var/lib/kubelet2 ext4"]],
    ["a directory of the same name deeper down", `${kubelet}/plugins/x/kubernetes.io`, []],
  ])("but not %s: %s", async (_, path, mounts) => {
    await using node = makeNode();
    makeKubeletRoot(node);
    node.directory(`${kubelet}/plugins/x/kubernetes.io`);
    node.directory("/var/lib/kubelet2");
    const { root } = findKubeletRoots(createRoot(node.rootDir, tableOf(...mounts)), [], []);
    expect(root.resolve(path).kind).toBe("found");
  });
});

describe.if(mayMount("kubelets' roots on mounts"))("with real mounts", () => {
  test("a bind mount of a kubelet's root is the same root", async () => {
    await using node = makeNode();
    makeKubeletRoot(node);
    node.directory("/var/data/kubelet");
    run("mount", "--bind", node.outer("/var/lib/kubelet"), node.outer("/var/data/kubelet"));
    try {
      const { roots } = findKubeletRoots(rootOf(node), [], []);
      expect(roots.map(({ path }) => path)).toEqual(["/var/lib/kubelet"]);
    } finally {
      run("umount", node.outer("/var/data/kubelet"));
    }
  });

  test("finding the roots asks nothing of a mount in their place or below them", async () => {
    await using node = makeNode();
    makeKubeletRoot(node);
    node.directory("/var/data/kubelet");
    await using inPlace = await mountTelling(node.outer("/var/data/kubelet"));
    await using below = await mountTelling(node.outer("/var/lib/kubelet/plugins"));
    // Below a kubelet's root that holds for local file systems too.
    const root = createRoot(node.rootDir, tableOf("/var/data/kubelet fuse", "/var/lib/kubelet/plugins ext4"));
    const { roots } = findKubeletRoots(root, [], []);
    expect(roots.map(({ path }) => path)).toEqual(["/var/lib/kubelet"]);
    expect([...inPlace.requests(), ...below.requests()]).toEqual([]);
  });
});
