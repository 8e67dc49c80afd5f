import { unescapeOctal } from "../node/mounts";
import { REDACTED } from "./redact-named";
import type { Redacted } from "./redact";

/** A line of the mount table (proc_pid_mountinfo(5)). */
export interface CsiMount {
  readonly mountPoint: string;
  /** The directory of the file system that appears there: `/` unless it is a bind mount. */
  readonly root: string;
  readonly type: string;
  readonly source: string;
  /** Of the mount. */
  readonly options: readonly string[];
  /** Of the file system. */
  readonly superOptions: readonly string[];
}

/**
 * The lines of a mount table that belong to CSI: volumes, staged ones included, and what is mounted in a driver's
 * directory. It is read from the table alone; the mounts are not touched.
 *
 * @param text of `/proc/PID/mountinfo`
 * @param prefix where that process sees the node's root: empty where it is its own
 * @param kubeletDirs without symbolic links
 */
export function csiMountsIn(text: string, prefix: string, kubeletDirs: readonly string[]): readonly CsiMount[] {
  const lines = text.split("\n").flatMap((line) => parseLine(line, prefix) ?? []);
  const isOneOf = (patterns: readonly RegExp[], { mountPoint }: CsiMount) =>
    kubeletDirs.some((directory) => {
      const inside = mountPoint.startsWith(`${directory}/`) ? mountPoint.slice(directory.length) : "";
      return patterns.some((pattern) => pattern.test(inside));
    });
  const devices = new Set(lines.flatMap(({ device, mount }) => (isOneOf(VOLUMES, mount) ? [device] : [])));
  // A subPath is mounted elsewhere, and its path does not tell whose volume it is.
  const isSubPath = ({ device, mount }: Line) => devices.has(device) && isOneOf([SUB_PATH], mount);
  return lines.filter((line) => isOneOf([...VOLUMES, DRIVER], line.mount) || isSubPath(line)).map(({ mount }) => mount);
}

const VOLUMES = [
  /^\/plugins\/kubernetes\.io\/csi\//,
  /^\/pods\/[^/]+\/volumes\/kubernetes\.io~csi\//,
  /^\/pods\/[^/]+\/volumeDevices\/kubernetes\.io~csi\//,
] as const;
const DRIVER = /^\/(?:plugins\/(?!kubernetes\.io(?:\/|$))|csi-plugins\/|plugins_registry(?:\/|$))/;
const SUB_PATH = /^\/pods\/[^/]+\/volume-subpaths\//;

interface Line {
  /** `major:minor`, the same for all mounts of a file system. */
  readonly device: string;
  readonly mount: CsiMount;
}

function parseLine(line: string, prefix: string): Line | undefined {
  const [left = "", right = ""] = line.split(" - ");
  const [, , device, root, mountPoint, options] = left.split(" ");
  const [type, source, superOptions] = right.split(" ");
  if (device === undefined || root === undefined || mountPoint === undefined || options === undefined) return undefined;
  if (type === undefined || source === undefined || !mountPoint.startsWith(`${prefix}/`)) return undefined;
  const mount = {
    mountPoint: unescapeOctal(mountPoint.slice(prefix.length)),
    root: unescapeOctal(root),
    type,
    source: unescapeOctal(source),
    options: options.split(","),
    superOptions: unescapeOctal(superOptions ?? "")
      .split(",")
      .filter((option) => option !== ""),
  };
  return { device, mount };
}

/**
 * Cuts the value of each option that is not known to be harmless: any FUSE file system may take its password as an
 * option of any name.
 *
 * @param where the member of the document that has the mounts
 */
export function redactMounts(mounts: readonly CsiMount[], where: string): Redacted<readonly CsiMount[]> {
  const part = mounts.map((mount) => ({
    ...mount,
    options: redactOptions(mount.options),
    superOptions: redactOptions(mount.superOptions),
  }));
  const redactions = part.flatMap((mount, index) =>
    (["options", "superOptions"] as const).flatMap((name) => {
      const count = mount[name].filter((option) => option.endsWith(REDACTED)).length;
      return count === 0 ? [] : [{ where: `${where}[${index}].${name}`, kind: "mount option" as const, count }];
    }),
  );
  return { part, redactions };
}

function redactOptions(options: readonly string[]): readonly string[] {
  let isCutValue = false;
  return options.map((option) => {
    const [, key = option, value] = /^([^=]*)=(.*)$/s.exec(option) ?? [];
    // What stands behind a value that was cut, and is no option, is the rest of that value, which had a comma.
    if (value === undefined && (!isCutValue || FLAGS.has(key))) return option;
    const isKept = value !== undefined && (HARMLESS.has(key) || (key === "sec" && SECURITY.test(value)));
    if (isKept) {
      isCutValue = false;
      return option;
    }
    isCutValue = true;
    return value === undefined ? REDACTED : `${key}=${REDACTED}`;
  });
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

/** Options of mount(8) without a value. */
const FLAGS = words(
  "rw ro relatime noatime strictatime nodiratime nosuid nodev noexec sync dirsync lazytime hard soft softerr intr " +
    "forceuid noforceuid forcegid noforcegid serverino noserverino mapposix nounix unix nobrl default_permissions allow_other acl noacl posixacl",
);

/**
 * Options with values that are no secrets, of nfs(5), mount.cifs(8), mount.ceph(8), mount.fuse(8), ext4(5), xfs(5),
 * btrfs(5), tmpfs(5), overlay.
 */
const HARMLESS = words(
  "vers nfsvers minorversion rsize wsize bsize namlen acregmin acregmax acdirmin acdirmax actimeo proto port nconnect max_connect " +
    "timeo retrans mountport mountvers mountproto mountaddr clientaddr addr local_lock lookupcache trunkdiscovery xprtsec " +
    "cache uid gid cruid backupuid backupgid file_mode dir_mode echo_interval closetimeo acregmax multichannel max_channels " +
    "max_credits iocharset snapshot reparse symlink rasize caps_max mds_namespace fsid mon_addr name readdir_max_entries " +
    "readdir_max_bytes caps_wanted_delay_min caps_wanted_delay_max mount_timeout wsync_mode " +
    "fd rootmode user_id group_id max_read blksize max_background context fscontext defcontext rootcontext " +
    "errors commit data barrier stripe inode_readahead_blks journal_checksum resuid resgid sb jqfmt usrjquota grpjquota " +
    "logbufs logbsize sunit swidth allocsize subvol subvolid space_cache compress discard ssd thread_pool " +
    "size nr_inodes nr_blocks mode mpol huge lowerdir upperdir workdir redirect_dir index xino metacopy",
);

/** Of `sec=`: nfs(5), mount.cifs(8). */
const SECURITY = /^(?:none|null|sys|krb5[ip]?|ntlm(?:v2|ssp)?i?)$/;
