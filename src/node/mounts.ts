import { dirname } from "node:path";
import { readText } from "../base/reads";

/** A line of `/proc/PID/mountinfo` (proc_pid_mountinfo(5)). */
export interface Mount {
  /** An absolute path without symbolic links, as seen from the process's root. */
  readonly mountPoint: string;
  /** The directory of the file system that appears at the mount point: `/` unless it is a bind mount. */
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
  /** The mounts at exactly this path, in the order of mounting: the last hides the others. */
  at(path: string): readonly Mount[];
  /** Whether an entry of this directory is a mount point. */
  hasMountsIn(directory: string): boolean;
  /** The table as a process sees it whose root is `directory`. */
  seenFrom(directory: string): MountTable;
}

/**
 * Reads what is mounted, without touching it. To be read before any path is looked at: stat(2) never returns from a
 * mount whose server has gone, not even for the mount point. Undefined where it cannot be read.
 *
 * @param path `/proc/self/mountinfo`, or that of a process whose namespace is to be looked into
 */
export function readMounts(path: string): MountTable | undefined {
  const text = readText(path);
  return text === "" ? undefined : createMountTable(parseMountInfo(text));
}

/** Parses a mountinfo file. Malformed lines are left out. */
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
    seenFrom: (directory) => {
      if (directory === "/") return createMountTable(all);
      const root = holding(directory);
      const below = all.filter(({ mountPoint }) => mountPoint.startsWith(`${directory}/`));
      return createMountTable([
        ...(root === undefined ? [] : [{ ...root, mountPoint: "/" }]),
        ...below.map((mount) => ({ ...mount, mountPoint: mount.mountPoint.slice(directory.length) })),
      ]);
    },
  };
}

/**
 * Whether looking at a file system of this type stays on this machine. An unknown type does not: it may ask a server or
 * a process, as `nfs`, `cifs`, `ceph` and `fuse` do, or mount something, as `autofs` does.
 */
export function isLocal(mount: Mount): boolean {
  return LOCAL_TYPES.has(mount.fsType);
}

const ON_DISKS = "bcachefs btrfs erofs ext2 ext3 ext4 f2fs iso9660 jfs squashfs vfat xfs zfs";
const IN_MEMORY = "cgroup cgroup2 devtmpfs proc ramfs rootfs sysfs tmpfs";
// virtiofs is a directory of a virtual machine's host, without a network in between.
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

/** Undoes the escapes of the kernel, which has them for space, tab, newline, backslash and "#". */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
