import { dirname } from "node:path";
import { type Read, readText } from "./reads";

/** A line of `/proc/PID/mountinfo` (proc_pid_mountinfo(5)). */
export interface Mount {
  /** Where it is mounted: an absolute path without symbolic links, seen from the process's root. */
  readonly mountPoint: string;
  /** The directory of the file system that is seen at the mount point: `/` but for bind mounts. */
  readonly fsRoot: string;
  /** Such as `ext4`, `nfs4` or `fuse.sshfs`. */
  readonly fsType: string;
  /** The file system's own options: of a cgroup mount, its controllers are among them. */
  readonly superOptions: readonly string[];
}

/** What is mounted where, at the moment it was read. */
export interface MountTable {
  /** All mounts, in the kernel's order. */
  readonly all: readonly Mount[];
  /** The mounts right at `path`, one over the other: all but the last are hidden. */
  at(path: string): readonly Mount[];
  /** Whether something is mounted right inside a directory. */
  hasMountsIn(directory: string): boolean;
  /** The mount that holds a path without symbolic links: undefined only where the table is not whole. */
  holding(path: string): Mount | undefined;
  /** The same table for who calls `directory` its root: what is not below it is left out. */
  seenFrom(directory: string): MountTable;
}

/**
 * Reads what is mounted, without touching any of it. Without this table it is not safe to look at any path.
 *
 * To be read before a path is looked at: a stat(2) of a mount whose server has gone, the mount point itself included,
 * never returns. What is mounted afterwards is not known here, so read it anew for each look.
 *
 * @param path `/proc/self/mountinfo`, or that of a process whose namespace is to be looked into
 */
export function readMounts(path: string): Read<MountTable> {
  const read = readText(path);
  return read.kind === "read" ? { kind: "read", value: createMountTable(parseMountInfo(read.value)) } : read;
}

/** Reads the text of a mountinfo file. Lines that break its format are left out. */
export function parseMountInfo(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => parseLine(line) ?? []);
}

export function createMountTable(all: readonly Mount[]): MountTable {
  const byMountPoint = Map.groupBy(all, (mount) => mount.mountPoint);
  const parents = new Set(all.flatMap(({ mountPoint }) => (mountPoint === "/" ? [] : [dirname(mountPoint)])));
  const at = (path: string) => byMountPoint.get(path) ?? [];
  const holding = (path: string): Mount | undefined =>
    at(path).at(-1) ?? (path === "/" ? undefined : holding(dirname(path)));
  return {
    all,
    at,
    hasMountsIn: (directory) => parents.has(directory),
    holding,
    seenFrom: (directory) => (directory === "/" ? createMountTable(all) : seenFrom(all, directory, holding(directory))),
  };
}

/**
 * Whether looking at a file system stays on this machine, by its type. An unknown type does not count: it may ask a server
 * or a process that never answers, as `nfs`, `cifs`, `ceph` and every `fuse` do, or mount something else, as `autofs` does.
 */
export function isLocal(mount: Mount): boolean {
  return LOCAL_TYPES.has(mount.fsType);
}

const ON_DISKS = "bcachefs btrfs erofs ext2 ext3 ext4 f2fs iso9660 jfs squashfs vfat xfs zfs";
const IN_MEMORY = "cgroup cgroup2 devtmpfs proc ramfs rootfs sysfs tmpfs";
// virtiofs is a virtual machine's directory of its host, without a network between them.
const ON_OTHERS = "aufs overlay virtiofs";
const LOCAL_TYPES: ReadonlySet<string> = new Set(`${ON_DISKS} ${IN_MEMORY} ${ON_OTHERS}`.split(" "));

// 36 35 98:0 /root /mount\040point rw,noatime [master:1 ...] - ext4 /dev/sda1 rw,errors=continue
function parseLine(line: string): Mount | undefined {
  const [left = "", right = ""] = line.split(" - ");
  const [, , , fsRoot, mountPoint] = left.split(" ");
  const [fsType, , superOptions] = right.split(" ");
  if (fsRoot === undefined || mountPoint === undefined || !mountPoint.startsWith("/")) return undefined;
  if (fsType === undefined || fsType === "") return undefined;
  return {
    mountPoint: unescapeOctal(mountPoint),
    fsRoot: unescapeOctal(fsRoot),
    fsType,
    superOptions: superOptions?.split(",") ?? [],
  };
}

// The kernel escapes what would break the format: space, tab, newline, backslash, and "#".
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function seenFrom(all: readonly Mount[], directory: string, root: Mount | undefined): MountTable {
  const below = all.flatMap((mount) =>
    mount.mountPoint.startsWith(`${directory}/`)
      ? [{ ...mount, mountPoint: mount.mountPoint.slice(directory.length) }]
      : [],
  );
  return createMountTable(root === undefined ? below : [{ ...root, mountPoint: "/" }, ...below]);
}
