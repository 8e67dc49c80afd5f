import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync } from "node:fs";
import { createMountTable } from "../../src/node/mounts";
import { createRoot, MAX_LINKS, MAX_NAMES, openRoot, type Root } from "../../src/node/rooted-path";
import { asNobody } from "../support/made-node-process";
import { makeNode, type MadeNode } from "../support/made-node";
import { mayMount, mountTelling } from "../support/made-node-mount";
import { ownMounts, rootOf, tableOf } from "../support/made-node-root";

const isRoot = process.getuid?.() === 0;

describe("inside a root", () => {
  test.each([
    ["a plain path", "/data/csi.sock", "/data/csi.sock"],
    ["slashes and dots in plenty", "//data/./csi.sock", "/data/csi.sock"],
    ["a relative link", "/links/relative", "/data/csi.sock"],
    ["an absolute link", "/links/absolute", "/data/csi.sock"],
    ["a link to a directory", "/links/directory/csi.sock", "/data/csi.sock"],
    ["a link to a link", "/links/twice", "/data/csi.sock"],
    ["a link that climbs over the root", "/links/climber", "/data/csi.sock"],
    ["a path that climbs over the root", "/../../data/csi.sock", "/data/csi.sock"],
    [".. after a link, which is that of its target", "/links/directory/../data/csi.sock", "/data/csi.sock"],
    ["a link to the root", "/links/root/data/csi.sock", "/data/csi.sock"],
    ["the root itself", "/", "/"],
  ])("%s is followed: %s", async (_, path, real) => {
    await using node = makeLinks();
    const outerPath = node.outer(real).replace(/\/$/, "");
    expect(rootOf(node).resolve(path)).toMatchObject({ kind: "found", path: real, outerPath });
  });

  test.each<[string, string, object]>([
    ["a missing file", "/data/none", { kind: "missing", path: "/data/none" }],
    ["a missing directory", "/none/data/csi.sock", { kind: "missing", path: "/none" }],
    ["a dangling link", "/links/dangling", { kind: "missing", path: "/gone" }],
    ["a link to where only the real root has something", "/links/outside", { kind: "missing", path: "/proc" }],
    ["a path through a file", "/file/csi.sock", { kind: "notADirectory", path: "/file" }],
    ["a path out of a file", "/file/../data", { kind: "notADirectory", path: "/file" }],
    ["a path through a socket", "/data/csi.sock/x", { kind: "notADirectory", path: "/data/csi.sock" }],
    ["a link to itself", "/links/self", { kind: "loop" }],
    ["two links to each other", "/links/ping", { kind: "loop" }],
    ["a name that is too long", `/${"x".repeat(256)}`, { kind: "failed", code: "ENAMETOOLONG" }],
    ["a name that no file has", "/\0", { kind: "failed", code: "ERR_INVALID_ARG_VALUE" }],
  ])("it tells of %s", async (_, path, outcome) => {
    await using node = makeLinks();
    expect(rootOf(node).resolve(path)).toMatchObject(outcome);
  });

  test.each([
    [MAX_LINKS, "found", true],
    [MAX_LINKS + 1, "loop", false],
  ] as const)("of %d links in a row it says %s, as Linux does", async (count, kind, exists) => {
    await using node = makeNode();
    node.file("/0");
    for (let index = 1; index <= count; index += 1) node.link(`/${index}`, `${index - 1}`);
    expect(rootOf(node).resolve(`/${count}`).kind).toBe(kind);
    expect(existsSync(node.outer(`/${count}`))).toBe(exists);
  });

  test.each([
    [MAX_NAMES, "found"],
    [MAX_NAMES + 2, "failed"],
  ])("of %d names on the way it says %s", async (count, kind) => {
    await using node = makeNode();
    node.file("/d/file");
    node.link("/way", `${"d/../".repeat((count - 4) / 2)}d`);
    expect(rootOf(node).resolve("/../way/file").kind).toBe(kind as "found");
  });

  test("a file is told by its type, its owner and its identity", async () => {
    await using node = makeLinks();
    node.hardLink("/other.sock", "/data/csi.sock");
    chmodSync(node.outer("/data/csi.sock"), 0o640);
    const root = rootOf(node);
    const uid = process.getuid?.() ?? -1;
    expect(root.resolve("/data/csi.sock")).toMatchObject({ file: { type: "socket", uid, mode: 0o640 } });
    expect(root.resolve("/data")).toMatchObject({ file: { type: "directory" } });
    expect(root.resolve("/file")).toMatchObject({ file: { type: "other" } });
    expect(fileIdOf(root, "/other.sock")).toBe(fileIdOf(root, "/data/csi.sock"));
    expect(fileIdOf(root, "/file")).not.toBe(fileIdOf(root, "/data/csi.sock"));
  });
});

test.if(isRoot)("a directory that denies its search is told, to another uid", async () => {
  await using node = makeLinks();
  chmodSync(node.outer("/data"), 0o700);
  const script = `import { createRoot } from "./src/node/rooted-path"; import { createMountTable } from "./src/node/mounts";
    console.log(JSON.stringify(createRoot(${JSON.stringify(node.rootDir)}, createMountTable([])).resolve("/links/absolute")));`;
  expect(await asNobody(script)).toEqual({ kind: "notPermitted", path: "/data/csi.sock" });
});

describe("the real root", () => {
  test("is a root like any other", async () => {
    await using node = makeLinks();
    const path = node.outer("/data/csi.sock");
    const root = createRoot("/", ownMounts());
    expect(root.resolve(path)).toMatchObject({ kind: "found", path, outerPath: path });
    expect(root.resolve("/")).toMatchObject({ kind: "found", path: "/", outerPath: "/" });
  });

  test("a process's root is one too, though it is a link to follow", () => {
    const root = createRoot("/proc/self/root", ownMounts());
    expect(root.resolve("/proc")).toMatchObject({ kind: "found", outerPath: "/proc/self/root/proc" });
  });

  test("a directory is opened as a root where it really is", async () => {
    await using node = makeLinks();
    const opened = openRoot(node.outer("/links/directory/../links/directory"), ownMounts());
    expect(opened.kind).toBe("missing");
    const found = openRoot(node.outer("/data/../links"), ownMounts());
    expect(found.kind === "opened" && found.root.outerPath("/x")).toBe(node.outer("/links/x"));
  });

  test.each([
    ["a file", "/file", "notADirectory"],
    ["nothing", "/none", "missing"],
  ])("%s is no root: %s", async (_, path, kind) => {
    await using node = makeLinks();
    expect(openRoot(node.outer(path), ownMounts()).kind).toBe(kind as "missing");
  });
});

describe("what is off limits", () => {
  const nfs = { kind: "offLimits", mount: { fsType: "nfs4" } };

  test.each([
    ["the mount point", "/data/volume", { ...nfs, path: "/data/volume" }],
    ["what is below it", "/data/volume/csi.sock", { ...nfs, path: "/data/volume" }],
    ["a link into it", "/into", { ...nfs, path: "/data/volume" }],
    [".. out of it", "/data/volume/../csi.sock", { ...nfs, path: "/data/volume" }],
    ["a mount that another hides", "/data/hidden", { kind: "offLimits", path: "/data/hidden" }],
    ["a local mount", "/data/local", { kind: "found" }],
  ])("of mounts, %s (%s)", async (_, path, outcome) => {
    await using node = makeNode();
    for (const name of ["volume", "hidden", "local"]) node.directory(`/data/${name}`);
    node.link("/into", "/data/volume/deep/csi.sock");
    const mounts = tableOf("/data/volume nfs4", "/data/hidden nfs4", "/data/hidden ext4", "/data/local ext4");
    expect(createRoot(node.rootDir, mounts).resolve(path)).toMatchObject(outcome);
  });

  test("a link that takes the place of a directory meanwhile is not followed", async () => {
    await using node = makeLinks();
    node.file("/own/csi.sock");
    const root = createRoot(node.rootDir, createMountTable([])).avoiding((path) => {
      if (path === "/own/csi.sock") swapForLink(node);
      return false;
    });
    const outcome = root.resolve("/own/csi.sock");
    expect(outcome).toMatchObject({ kind: "found", file: { type: "other" } });
  });

  test("more can be put there", async () => {
    await using node = makeLinks();
    const root = createRoot(node.rootDir, tableOf("/data nfs")).avoiding((path) => path === "/links");
    expect(root.resolve("/links/absolute")).toEqual({ kind: "offLimits", path: "/links", mount: undefined });
    expect(root.resolve("/data")).toMatchObject({ kind: "offLimits" });
    expect(root.resolve("/file")).toMatchObject({ kind: "found" });
  });

  test("the root itself never is, whatever it is on", async () => {
    await using node = makeLinks();
    expect(createRoot(node.rootDir, tableOf("/ nfs")).resolve("/data").kind).toBe("found");
  });

  test.if(mayMount("what is off limits"))("nothing is asked of a mount, not even of its mount point", async () => {
    await using node = makeLinks();
    node.directory("/data/volume");
    node.link("/into", "/data/volume/csi.sock");
    await using mount = await mountTelling(node.outer("/data/volume"));
    const root = rootOf(node);
    for (const path of ["/data/volume", "/data/volume/csi.sock", "/into", "/data/volume/../csi.sock"]) {
      expect(root.resolve(path)).toMatchObject({ kind: "offLimits", mount: { fsType: "fuse.silent" } });
    }
    expect(openRoot(node.outer("/data/volume"), ownMounts()).kind).toBe("offLimits");
    expect(mount.requests()).toEqual([]);

    createRoot(node.rootDir, createMountTable([])).resolve("/data/volume");
    expect(mount.requests()).not.toEqual([]);
  });
});

function swapForLink(node: MadeNode): void {
  node.rename("/own", "/moved");
  node.link("/own", "data");
}

function makeLinks(): MadeNode {
  const node = makeNode();
  node.staleSocket("/data/csi.sock");
  node.file("/file");
  node.link("/links/relative", "../data/csi.sock");
  node.link("/links/absolute", "/data/csi.sock");
  node.link("/links/directory", "/data");
  node.link("/links/twice", "relative");
  node.link("/links/climber", "../../../../../../../../data/csi.sock");
  node.link("/links/root", "/");
  node.link("/links/dangling", "/gone");
  node.link("/links/outside", "/proc/self/status");
  node.link("/links/self", "self");
  node.link("/links/ping", "pong");
  node.link("/links/pong", "/links/ping");
  return node;
}

function fileIdOf(root: Root, path: string): string {
  const resolved = root.resolve(path);
  return resolved.kind === "found" ? resolved.file.fileId : resolved.kind;
}
