import { expect, test } from "bun:test";
import { chmodSync, statSync } from "node:fs";
import { type DirectoryEntry, listEntries } from "../../src/node/directory-entries";
import { createMountTable } from "../../src/node/mounts";
import { createRoot, type Root } from "../../src/node/rooted-path";
import { makeNode } from "../support/made-node";
import { mayMount, mountTelling, run } from "../support/made-node-mount";
import { asNobody } from "../support/made-node-process";
import { rootOf } from "../support/made-node-root";
import { usable } from "../support/usable";

const isRoot = process.getuid?.() === 0;

test("a directory's sockets, directories and links come by name", async () => {
  await using node = makeNode();
  node.staleSocket("/d/b.sock");
  node.directory("/d/a");
  node.file("/d/c");
  node.link("/d/e", "b.sock");
  run("mkfifo", node.outer("/d/f"));
  expect(await entriesOf(rootOf(node), "/d")).toEqual({
    kind: "read",
    value: [
      { name: "a", kind: "directory" },
      { name: "b.sock", kind: "socket" },
      { name: "e", kind: "link" },
    ],
  });
});

test("a link that has taken the directory's place is not followed", async () => {
  await using node = makeNode();
  node.file("/secret/a");
  node.link("/own", "secret");
  expect(await listEntries(rootOf(node), "/own", { bytes: 8_388_608 })).toMatchObject({
    kind: "failed",
  });
});

test("what is no directory to be listed is told", async () => {
  await using node = makeNode();
  node.file("/file");
  expect(await entriesOf(rootOf(node), "/none")).toEqual({ kind: "missing" });
  expect(await entriesOf(rootOf(node), "/file")).toEqual({ kind: "failed", code: "ENOTDIR" });
});

test.if(isRoot)("a directory that may not be read is told, to another uid", async () => {
  await using node = makeNode();
  node.directory("/closed");
  chmodSync(node.outer("/closed"), 0o711);
  const script = `import { listEntries } from "./src/node/directory-entries"; import { createRoot } from "./src/node/rooted-path";
    import { createMountTable } from "./src/node/mounts";
    const root = createRoot(${JSON.stringify(node.rootDir)}, createMountTable([]));
    console.log(JSON.stringify(await listEntries(root, "/closed", { bytes: 8_388_608 })));`;
  expect(await asNobody(script)).toEqual({ kind: "notPermitted" });
});

// An ext2 without them stands for every such file system, an older XFS for one.
const MAKE = 'truncate -s 1M "$1" && mkfs.ext2 -q -O ^filetype "$1" && mkdir "$2" && mount -o loop "$1" "$2"';
const mayMakeFileSystem = usable("file systems without types in their directories", [
  "sh",
  "-ec",
  `d=$(mktemp -d); trap 'umount "$d/fs"; rm -r "$d"' EXIT; set -- "$d/image" "$d/fs"; ${MAKE}`,
]);

test.if(mayMakeFileSystem && mayMount("directories with mounts"))(
  "a mount is not touched even where the file system tells no types",
  async () => {
    await using node = makeNode();
    run("sh", "-c", MAKE, "sh", node.outer("/image"), node.outer("/fs"));
    try {
      node.directory("/fs/volume");
      node.staleSocket("/fs/csi.sock");
      await using mount = await mountTelling(node.outer("/fs/volume"));
      expect(await entriesOf(rootOf(node), "/fs")).toEqual({
        kind: "read",
        value: [
          { name: "csi.sock", kind: "socket" },
          { name: "lost+found", kind: "directory" },
          { name: "volume", kind: "mount", fsType: "fuse.silent" },
        ] as DirectoryEntry[],
      });
      expect(mount.requests()).toEqual([]);

      await entriesOf(createRoot(node.rootDir, createMountTable([])), "/fs");
      expect(mount.requests()).not.toEqual([]);
    } finally {
      run("umount", node.outer("/fs"));
    }
  },
);

test("what is read is taken from the budget", async () => {
  await using node = makeNode();
  node.directory("/own");
  const root = rootOf(node);
  const { size, blocks } = statSync(node.outer("/own"));
  const budget = { bytes: Math.max(size, blocks * 512) };
  const kinds = [await listEntries(root, "/own", budget), await listEntries(root, "/own", budget)].map(
    ({ kind }) => kind,
  );
  expect({ kinds, left: budget.bytes }).toEqual({ kinds: ["read", "tooLarge"], left: 0 });
});

function entriesOf(root: Root, directory: string) {
  return listEntries(root, directory, { bytes: 8_388_608 });
}
