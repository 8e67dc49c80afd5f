import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readdirSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { findKubeletRoots } from "../../src/node/kubelet-roots";
import { createRoot, type Root } from "../../src/node/rooted-path";
import { findSockets, MAX_DEPTH, MAX_ENTRIES, MAX_SOCKETS, type SocketSearch } from "../../src/node/socket-search";
import { makeKubeletRoot, makeNode, type MadeNode } from "../support/made-node";
import { mayMount, mountTelling } from "../support/made-node-mount";
import { asNobody } from "../support/made-node-process";
import { rootOf, tableOf } from "../support/made-node-root";

// Files are made slowly on a busy machine.
setDefaultTimeout(60_000);

const KUBELET = "/var/lib/kubelet";
const PLUGINS = `${KUBELET}/plugins`;
const REGISTRY = `${KUBELET}/plugins_registry`;

describe("a socket is found", () => {
  test.each([
    ["in its driver's directory", `${PLUGINS}/a.csi.example/csi.sock`, "plugins"],
    ["right in plugins/", `${PLUGINS}/csi.sock`, "plugins"],
    ["nested, by whatever name", `${PLUGINS}/vendor/driver/node/endpoint`, "plugins"],
    ["hidden", `${PLUGINS}/.driver/.csi.sock`, "plugins"],
    ["in a directory called kubernetes.io further down", `${PLUGINS}/a/kubernetes.io/csi.sock`, "plugins"],
    ["in the registry", `${REGISTRY}/a.csi.example-reg.sock`, "plugins_registry"],
    ["nested in the registry", `${REGISTRY}/a/reg.sock`, "plugins_registry"],
    ["in the directory of old", `${KUBELET}/csi-plugins/a/csi.sock`, "csi-plugins"],
  ] as const)("%s: %s", async (_, path, directory) => {
    await using node = makeKubelet();
    node.staleSocket(path);
    expect(await searchIn(node)).toEqual({
      sockets: [
        {
          path,
          outerPath: node.outer(path),
          directory,
          fileId: expect.stringMatching(/^\d+:\d+$/),
          ownerUid: process.getuid?.() ?? 0,
        },
      ],
      skipped: [],
      withoutSocket: [],
    });
  });

  test.each([
    ["another driver's directory", `${PLUGINS}/a/csi.sock`],
    ["the registry", `${REGISTRY}/a-reg.sock`],
  ])("by its own path, though a link in %s leads to it", async (_, link) => {
    await using node = makeKubelet();
    const path = `${PLUGINS}/b/csi.sock`;
    node.staleSocket(path);
    node.link(link, path);
    expect((await searchIn(node)).sockets).toMatchObject([{ path, directory: "plugins" }]);
  });

  test.each([
    ["a link to a socket", "../../real.sock"],
    ["a link whose target is the node's, not ours", `${KUBELET}/real.sock`],
  ])("by %s", async (_, target) => {
    await using node = makeKubelet();
    node.staleSocket(`${KUBELET}/real.sock`);
    node.link(`${PLUGINS}/a/csi.sock`, target);
    expect(await searchIn(node)).toMatchObject({
      sockets: [{ path: `${PLUGINS}/a/csi.sock`, outerPath: node.outer(`${KUBELET}/real.sock`) }],
      skipped: [],
    });
  });

  test("though the kubelet's root is a link, by the path that the kubelet uses", async () => {
    await using node = makeNode();
    makeKubeletRoot(node, "/mnt/data/kubelet");
    node.link(KUBELET, "/mnt/data/kubelet");
    node.staleSocket("/mnt/data/kubelet/plugins/a/csi.sock");
    expect((await searchIn(node)).sockets).toMatchObject([
      { path: `${PLUGINS}/a/csi.sock`, outerPath: node.outer("/mnt/data/kubelet/plugins/a/csi.sock") },
    ]);
  });

  test("though plugins/ is a link to another disk", async () => {
    await using node = makeNode();
    node.directory(KUBELET);
    node.link(PLUGINS, "/disk/plugins");
    node.staleSocket("/disk/plugins/a/csi.sock");
    node.staleSocket("/disk/plugins/kubernetes.io/csi/volume.sock");
    expect(pathsOf(await searchIn(node))).toEqual([`${PLUGINS}/a/csi.sock`]);
  });

  test("once, whatever leads to it", async () => {
    await using node = makeKubelet();
    node.staleSocket(`${PLUGINS}/a/csi.sock`);
    node.hardLink(`${PLUGINS}/b/csi.sock`, `${PLUGINS}/a/csi.sock`);
    node.link(`${PLUGINS}/c/csi.sock`, "../a/csi.sock");
    node.link("/var/data/kubelet", KUBELET);
    expect(pathsOf(await searchIn(node))).toEqual([`${PLUGINS}/a/csi.sock`]);
  });

  test("below each of several roots", async () => {
    await using node = makeKubelet();
    node.staleSocket("/var/lib/k0s/kubelet/plugins/a/csi.sock");
    node.staleSocket(`${PLUGINS}/a/csi.sock`);
    expect(pathsOf(await searchIn(node))).toEqual([`${PLUGINS}/a/csi.sock`, "/var/lib/k0s/kubelet/plugins/a/csi.sock"]);
  });

  test("and can be connected to, though its path is too long with the root before it", async () => {
    await using node = makeKubelet();
    const path = `${PLUGINS}/${"d".repeat(70)}/csi.sock`;
    await node.liveSocket("/short");
    node.rename("/short", path);
    const [found] = (await searchIn(node)).sockets;
    expect(found?.path).toBe(path);
    expect(Buffer.byteLength(found?.outerPath ?? "")).toBeGreaterThan(107);
    // The runtime goes by the directory's descriptor, and closes it.
    expect(await connectTo(found?.outerPath ?? "")).toBe("connected");
    expect(readdirSync("/proc/self/fd").map(linkOf)).not.toContain(dirname(found?.outerPath ?? ""));
  });
});

describe("nothing is found", () => {
  test.each([
    ["where volumes are staged", `${PLUGINS}/kubernetes.io/csi/a/csi.sock`],
    ["hidden in the registry, as by the kubelet", `${REGISTRY}/.a-reg.sock`],
    ["in a hidden directory of the registry", `${REGISTRY}/.a/reg.sock`],
    ["in a pod's directory", `${KUBELET}/pods/1/csi.sock`],
    ["beside plugins/", `${KUBELET}/device-plugins/kubelet.sock`],
  ])("%s: %s", async (_, path) => {
    await using node = makeKubelet();
    node.staleSocket(path);
    expect(await searchIn(node)).toMatchObject({ sockets: [], skipped: [] });
  });

  test.each([
    ["a regular file", (node: MadeNode) => node.file(`${PLUGINS}/a/csi.sock`)],
    ["a dangling link", (node: MadeNode) => node.link(`${PLUGINS}/a/csi.sock`, "/gone")],
    ["a link to itself", (node: MadeNode) => node.link(`${PLUGINS}/a/csi.sock`, "csi.sock")],
    ["a link to a file", (node: MadeNode) => node.link(`${PLUGINS}/a/csi.sock`, "/etc/hostname")],
    ["a link to a staged volume", (node: MadeNode) => node.link(`${PLUGINS}/a/csi.sock`, "../kubernetes.io/x.sock")],
  ])("of %s", async (_, make) => {
    await using node = makeKubelet();
    node.file("/etc/hostname");
    node.staleSocket(`${PLUGINS}/kubernetes.io/x.sock`);
    make(node);
    expect(await searchIn(node)).toMatchObject({ sockets: [], skipped: [] });
  });

  test("below a root without any of the directories", async () => {
    await using node = makeNode();
    node.directory(KUBELET);
    expect(await searchIn(node)).toEqual({ sockets: [], skipped: [], withoutSocket: [] });
  });
});

describe("it is told what was left out", () => {
  test("what lies too deep", async () => {
    await using node = makeKubelet();
    const deep = Array.from({ length: MAX_DEPTH }, (_, index) => `d${index + 1}`).join("/");
    node.staleSocket(`${PLUGINS}/${deep}/csi.sock`);
    expect(await searchIn(node)).toMatchObject({
      sockets: [],
      skipped: [{ path: `${PLUGINS}/${deep}`, kind: "depth" }],
    });
  });

  test.each([
    ["so many entries", MAX_ENTRIES, (node: MadeNode, path: string) => node.link(path, "gone"), "entries"],
    ["so many sockets", MAX_SOCKETS, (node: MadeNode, path: string) => node.staleSocket(path), "sockets"],
  ] as const)("what comes in a driver's directory after %s, and nothing of the others", async (_, most, make, kind) => {
    await using node = makeKubelet();
    for (let index = 0; index < most; index += 1) make(node, `${PLUGINS}/b/${index}`);
    node.staleSocket(`${PLUGINS}/b/z.sock`);
    for (const path of [`${PLUGINS}/a/csi.sock`, `${PLUGINS}/c/csi.sock`, `${PLUGINS}/d.sock`]) node.staleSocket(path);
    const search = await searchIn(node);
    expect(search.skipped).toEqual([{ path: `${PLUGINS}/b`, within: `${PLUGINS}/b`, kind, detail: "" }]);
    expect(pathsOf(search)).toContain(`${PLUGINS}/c/csi.sock`);
    expect(pathsOf(search)).not.toContain(`${PLUGINS}/b/z.sock`);
  });

  test("but regular files do not count", async () => {
    await using node = makeKubelet();
    for (let index = 0; index <= MAX_ENTRIES; index += 1) node.file(`${PLUGINS}/a/${index}`);
    node.staleSocket(`${PLUGINS}/a/z.sock`);
    expect(await searchIn(node)).toMatchObject({ sockets: [{ path: `${PLUGINS}/a/z.sock` }], skipped: [] });
  });

  test("a directory whose name is not UTF-8, not taken for another", async () => {
    await using node = makeKubelet();
    node.staleSocket(`${PLUGINS}/a\ufffd/csi.sock`);
    node.rename(`${PLUGINS}/a\ufffd`, Buffer.from(`${PLUGINS}/a\xff`, "latin1"));
    expect(await searchIn(node)).toMatchObject({
      sockets: [],
      skipped: [{ path: `${PLUGINS}/a\ufffd`, kind: "name" }],
    });
  });

  test.each([
    ["/run/containerd.sock", "/run/containerd.sock"],
    ["a socket in a directory of root's alone", "/root/secret.sock"],
    ["a socket beside the kubelet's directory", `${KUBELET}-other/csi.sock`],
  ])("a link out of the kubelet's directory, which is not followed: %s", async (_, target) => {
    await using node = makeKubelet();
    node.staleSocket(target);
    node.link(`${PLUGINS}/a/csi.sock`, target);
    expect(await searchIn(node)).toEqual({
      sockets: [],
      skipped: [{ path: `${PLUGINS}/a/csi.sock`, within: `${PLUGINS}/a`, kind: "outside", detail: target }],
      withoutSocket: [],
    });
  });

  test("and not a link to a directory that is searched by its own name", async () => {
    await using node = makeKubelet();
    node.staleSocket(`${PLUGINS}/a/csi.sock`);
    node.link(`${PLUGINS}/b`, "a");
    expect(await searchIn(node)).toMatchObject({ sockets: [{ path: `${PLUGINS}/a/csi.sock` }], skipped: [] });
  });

  test("a link to a directory", async () => {
    await using node = makeKubelet();
    node.staleSocket("/opt/driver/csi.sock");
    node.link(`${PLUGINS}/a`, "/opt/driver");
    expect(await searchIn(node)).toMatchObject({
      sockets: [],
      skipped: [{ path: `${PLUGINS}/a`, kind: "link" }],
    });
  });

  test.each([
    ["a mount of any kind", `${PLUGINS}/volume`, [`${PLUGINS}/volume ext4`]],
    ["a mount on a socket", `${PLUGINS}/csi.sock`, [`${PLUGINS}/csi.sock ext4`]],
    ["a mount in place of plugins/", PLUGINS, [`${PLUGINS} ext4`]],
    ["a link to a mount", `${PLUGINS}/link.sock`, [`${KUBELET}/dead nfs4`]],
  ])("%s", async (_, path, mounts) => {
    await using node = makeKubelet();
    node.staleSocket(`${PLUGINS}/volume/csi.sock`);
    node.staleSocket(`${PLUGINS}/csi.sock`);
    node.staleSocket(`${KUBELET}/dead/csi.sock`);
    node.link(`${PLUGINS}/link.sock`, `${KUBELET}/dead/csi.sock`);
    const search = await searchIn(node, createRoot(node.rootDir, tableOf(...mounts)));
    expect(search.skipped).toMatchObject([{ path, kind: "mount", detail: expect.stringMatching(/^(ext4|nfs4)$/) }]);
    expect(pathsOf(search)).not.toContain(path);
  });

  test.if(process.getuid?.() === 0)("to another uid, what it may not list", async () => {
    await using node = makeKubelet();
    node.staleSocket(`${PLUGINS}/open/csi.sock`);
    node.staleSocket(`${PLUGINS}/closed/csi.sock`);
    chmodSync(node.outer(`${PLUGINS}/closed`), 0o700);
    chmodSync(node.outer(REGISTRY), 0o700);
    const script = `import { findKubeletRoots } from "./src/node/kubelet-roots"; import { createRoot } from "./src/node/rooted-path";
      import { createMountTable } from "./src/node/mounts"; import { findSockets } from "./src/node/socket-search";
      const root = createRoot(${JSON.stringify(node.rootDir)}, createMountTable([]));
      console.log(JSON.stringify(await findSockets(findKubeletRoots(root, [], []))));`;
    expect(await asNobody(script)).toMatchObject({
      sockets: [{ path: `${PLUGINS}/open/csi.sock` }],
      skipped: [
        { path: REGISTRY, kind: "notPermitted" },
        { path: `${PLUGINS}/closed`, kind: "notPermitted" },
      ],
    });
  });
});

describe("a driver's directory without a socket is told", () => {
  test.each<readonly [string, (node: MadeNode) => void, readonly string[]]>([
    ["where it is empty", (node) => node.directory(`${PLUGINS}/a`), [`${PLUGINS}/a`]],
    ["where it has other files", (node) => node.file(`${PLUGINS}/a/state/db`), [`${PLUGINS}/a`]],
    ["not where a directory in it has one", (node) => node.staleSocket(`${PLUGINS}/a/b/csi.sock`), []],
    ["not where a link in it leads to one", (node) => node.link(`${PLUGINS}/a/csi.sock`, `${KUBELET}/real.sock`), []],
    ["not where not all of it was seen", (node) => node.directory(`${PLUGINS}/a/b/c/d`), []],
    ["not where volumes are staged", (node) => node.directory(`${PLUGINS}/kubernetes.io/csi/a`), []],
    [
      "in the directory of old, too",
      (node) => node.directory(`${KUBELET}/csi-plugins/a`),
      [`${KUBELET}/csi-plugins/a`],
    ],
    ["not of what is no driver's", (node) => node.directory(`${REGISTRY}/a`), []],
  ])("%s", async (_, make, withoutSocket) => {
    await using node = makeKubelet();
    node.staleSocket(`${KUBELET}/real.sock`);
    make(node);
    expect(await searchIn(node)).toMatchObject({ withoutSocket });
  });
});

test("everything else has its turn while large directories are read", async () => {
  await using node = makeKubelet();
  for (let index = 0; index < 16_000; index += 1) node.file(`${PLUGINS}/${index % 4}/${index}`);
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 1);
  await searchIn(node);
  clearInterval(counting);
  expect(turns).toBeGreaterThan(0);
});

test.if(mayMount("volumes below plugins/"))("nothing is asked of a volume that is mounted below plugins/", async () => {
  await using node = makeKubelet();
  node.staleSocket(`${PLUGINS}/a/csi.sock`);
  node.directory(`${PLUGINS}/a/volume`);
  node.directory(`${PLUGINS}/kubernetes.io/csi/a/globalmount`);
  node.link(`${PLUGINS}/a/link.sock`, "volume/csi.sock");
  await using volume = await mountTelling(node.outer(`${PLUGINS}/a/volume`));
  await using staged = await mountTelling(node.outer(`${PLUGINS}/kubernetes.io/csi/a/globalmount`));
  const search = await searchIn(node);
  expect([...volume.requests(), ...staged.requests()]).toEqual([]);
  expect(pathsOf(search)).toEqual([`${PLUGINS}/a/csi.sock`]);
  expect(search.skipped.map(({ path }) => path)).toEqual([`${PLUGINS}/a/link.sock`, `${PLUGINS}/a/volume`]);

  // And it would be told: without the table of mounts, the search enters it.
  await searchIn(node, createRoot(node.rootDir, tableOf()));
  expect(volume.requests()).not.toEqual([]);
});

function makeKubelet(): MadeNode {
  const node = makeNode();
  makeKubeletRoot(node);
  return node;
}

function searchIn(node: MadeNode, root: Root = rootOf(node)): Promise<SocketSearch> {
  return findSockets(findKubeletRoots(root, [], []));
}

function pathsOf(search: SocketSearch): readonly string[] {
  return search.sockets.map(({ path }) => path);
}

function connectTo(path: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ path });
  socket.once("connect", () => socket.destroy());
  socket.once("close", () => resolve("connected"));
  socket.once("error", (error) => resolve(error.message));
  return promise;
}

function linkOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The descriptor of the listing itself is gone by now.
    return undefined;
  }
}
