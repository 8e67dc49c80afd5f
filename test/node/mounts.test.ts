import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { isLocal, parseMountInfo, readMounts } from "../../src/node/mounts";
import { mayMount, run } from "../support/made-node-mount";
import { tableOf } from "../support/made-node-root";
import { temporaryDirectory } from "../../scripts/temporary";

const LINE = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue";

describe("a line of mountinfo", () => {
  test("tells what is mounted where", () => {
    expect(parseMountInfo(`${LINE}\n`)).toEqual([
      {
        mountPoint: "/mnt2",
        fsRoot: "/mnt1",
        fsType: "ext3",
        superOptions: ["rw", "errors=continue"],
      },
    ]);
  });

  test.each([
    ["without optional fields", "36 35 98:0 / /m rw - ext4 /dev/sda rw"],
    ["with several", "36 35 98:0 / /m rw shared:2 master:1 propagate_from:2 - ext4 /dev/sda rw"],
    ["without options", "36 35 0:9 / /m rw - tmpfs tmpfs"],
    ["with an empty source", "36 35 0:9 / /m rw - tmpfs  rw"],
  ])("is read %s", (_, line) => {
    expect(parseMountInfo(line)).toMatchObject([{ mountPoint: "/m", fsRoot: "/" }]);
  });

  test.each([
    ["a space", "/a\\040b", "/a b"],
    ["a tab", "/a\\011b", "/a\tb"],
    ["a newline", "/a\\012b", "/a\nb"],
    ["a backslash", "/a\\134040", "/a\\040"],
    ["a hash", "/a\\043b", "/a#b"],
    ["a dash between spaces", "/a\\040-\\040b", "/a - b"],
    ["a letter that is not ASCII", "/ä", "/ä"],
  ])("may have %s in a path", (_, escaped, path) => {
    expect(parseMountInfo(`36 35 98:0 ${escaped} ${escaped} rw - ext4 ${escaped} rw`)).toMatchObject([
      { mountPoint: path, fsRoot: path },
    ]);
  });

  test.each(["", "36 35 98:0", "36 35 98:0 / / rw", "36 35 98:0 / relative rw - ext4 x rw", "36 35 98:0 / / rw - "])(
    "%j is left out",
    (line) => {
      expect(parseMountInfo(`${line}\n${LINE}`)).toHaveLength(1);
    },
  );
});

describe("a table of mounts", () => {
  const table = tableOf("/ ext4", "/host btrfs", "/host/var xfs", "/host/var/lib/nfs nfs4", "/hostile tmpfs");

  test.each([
    ["/host/var", "xfs"],
    ["/host/var/lib", undefined],
  ])("at %s there is %p", (path, fsType) => {
    expect(table.at(path).at(-1)?.fsType).toBe(fsType);
  });

  test("several mounts at one place are all told", () => {
    expect(tableOf("/a ext4", "/a nfs").at("/a")).toHaveLength(2);
  });

  test.each([
    ["/", "ext4"],
    ["/usr/bin", "ext4"],
    ["/host", "btrfs"],
    ["/hosts", "ext4"],
    ["/host/var/lib/kubelet", "xfs"],
    ["/host/var/lib/nfs/a", "nfs4"],
  ])("seen from %s, its root is on the %s", (path, fsType) => {
    expect(table.seenFrom(path).at("/").at(-1)?.fsType).toBe(fsType);
  });

  test.each([
    ["/", true],
    ["/host", true],
    ["/host/var", false],
    ["/host/var/lib", true],
  ])("whether %s has mounts right in it: %p", (path, has) => {
    expect(table.hasMountsIn(path)).toBe(has);
  });

  test.each([
    ["/", ["/", "/host", "/host/var", "/host/var/lib/nfs", "/hostile"]],
    ["/host", ["/", "/var", "/var/lib/nfs"]],
    ["/host/var/lib", ["/", "/nfs"]],
  ])("seen from %s, it has %p", (directory, mountPoints) => {
    const seen = table.seenFrom(directory);
    expect(seen.all.map(({ mountPoint }) => mountPoint)).toEqual(mountPoints);
  });
});

test.each(["ext4", "xfs", "btrfs", "overlay", "tmpfs"])("%s is on this machine", (fsType) => {
  expect(tableOf(`/m ${fsType}`).all.map(isLocal)).toEqual([true]);
});

test.each(["nfs", "nfs4", "cifs", "ceph", "fuse", "fuse.sshfs", "autofs", "9p", "something-new"])(
  "%s may be elsewhere",
  (fsType) => {
    expect(tableOf(`/m ${fsType}`).all.map(isLocal)).toEqual([false]);
  },
);

test("where mountinfo cannot be read, there is no table", () => {
  expect(readMounts("/proc/self/no-such-file")).toBeUndefined();
});

test.if(mayMount("the kernel's own escapes"))("the kernel's own table is read, escapes and all", () => {
  using place = temporaryDirectory();
  const directory = join(place.path, 'a b\tc\\d#e"f');
  run("mkdir", directory);
  run("mount", "--bind", directory, directory);
  const mounts = readMounts("/proc/self/mountinfo");
  run("umount", directory);
  expect(mounts?.at(directory)).toMatchObject([{ fsRoot: expect.any(String) }]);
});
