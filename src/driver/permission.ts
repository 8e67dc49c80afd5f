import { readFileSync } from "node:fs";

/** Whose a file is, and who may do what to it. */
export interface FilePermissions {
  readonly uid: number;
  readonly gid: number;
  /** The permission bits. */
  readonly mode: number;
}

/** What somebody needs: to write to a socket, which connect(2) asks for (unix(7)), or to search a directory (path_resolution(7)). */
export type Need = "write" | "search";

const BIT: Readonly<Record<Need, number>> = { write: 0o2, search: 0o1 };

/** The capabilities that stand in for the bit, the narrowest last (capabilities(7)). */
const SUBSTITUTES: Readonly<Record<Need, readonly FileCapability[]>> = {
  write: ["DAC_OVERRIDE"],
  search: ["DAC_OVERRIDE", "DAC_READ_SEARCH"],
};

/** What a uid or gid that is not in our user namespace looks like (user_namespaces(7)). */
const OVERFLOW_ID = 65_534;

/** Whether the permissions of a file allow it to a uid with these rights: what is refused all the same, something else refuses. */
export function isAllowed(need: Need, file: FilePermissions, uid: number, rights: Rights): boolean {
  if (hasBit(need, file.mode, classOf(file, uid, rights))) return true;
  return !isForeign(file, rights) && SUBSTITUTES[need].some((name) => rights.capabilities.includes(name));
}

/**
 * What would allow it to a process that is not allowed it: each is a uid, group, capability or mode that it does not have.
 *
 * @param chmod how the file is opened to it: "let the driver make its socket writable for uid 1"
 */
export function adviseOn(
  need: Need,
  file: FilePermissions,
  uid: number,
  rights: Rights,
  chmod: string,
): readonly string[] {
  const { mode } = file;
  const known = !isForeign(file, rights);
  const kind = classOf(file, uid, rights);
  const asOwner = known && kind !== "owner" && hasBit(need, mode, "owner");
  const asGroup = known && kind === "others" && hasBit(need, mode, "group");
  const capability = SUBSTITUTES[need].at(-1) ?? "DAC_OVERRIDE";
  return [
    ...(asOwner ? [runAs(file.uid)] : []),
    ...(asGroup ? [`run livenessprobe with the group ${file.gid} (supplementalGroups: [${file.gid}])`] : []),
    ...(known && uid === 0 ? [`run livenessprobe with the capability ${capability}`] : []),
    ...(known && uid !== 0 && !asOwner && !asGroup
      ? [`run livenessprobe as uid 0 with the capability ${capability}`]
      : []),
    ...(known ? [] : ["run livenessprobe in the node's user namespace (hostUsers: true), which knows its owner"]),
    `${chmod} (mode ${formatMode(mode | bitsFor(need, kind))})`,
  ];
}

/** Who asks, as far as it matters: uid 0 is allowed everything in most places, and not without its capability. */
export function describeUid(need: Need, uid: number, { capabilities }: Rights): string {
  const [capability] = SUBSTITUTES[need].filter((name) => !capabilities.includes(name)).slice(-1);
  return uid === 0 && capability !== undefined ? `uid 0 without the capability ${capability}` : `uid ${uid}`;
}

/** As `chmod` and people write it: `0755`. */
export function formatMode(mode: number): string {
  return `0${mode.toString(8).padStart(3, "0")}`;
}

function runAs(owner: number): string {
  return owner === 0
    ? "run livenessprobe as uid 0 (no capability is needed)"
    : `run livenessprobe as uid ${owner} (runAsUser: ${owner})`;
}

type PermissionClass = "owner" | "group" | "others";

/** The one class of bits that the kernel looks at. */
function classOf(file: FilePermissions, uid: number, { groups }: Rights): PermissionClass {
  if (file.uid === uid) return "owner";
  return groups.includes(file.gid) ? "group" : "others";
}

const SHIFT: Readonly<Record<PermissionClass, number>> = { owner: 6, group: 3, others: 0 };

function hasBit(need: Need, mode: number, kind: PermissionClass): boolean {
  return ((mode >> SHIFT[kind]) & BIT[need]) !== 0;
}

/** The bits to add for a class, and for those before it: whoever may less than others is a surprise. */
function bitsFor(need: Need, kind: PermissionClass): number {
  const added = { owner: ["owner"], group: ["owner", "group"], others: ["owner", "group", "others"] } as const;
  return added[kind].reduce((bits, each) => bits | (BIT[need] << SHIFT[each]), 0);
}

function isForeign({ uid, gid }: FilePermissions, { ownUserNamespace }: Rights): boolean {
  return ownUserNamespace && (uid === OVERFLOW_ID || gid === OVERFLOW_ID);
}

/** What this process may do to files besides what its uid may. */
export interface Rights {
  /** The group of the process and its supplementary ones. */
  readonly groups: readonly number[];
  /** Those of the effective capabilities that matter for file permissions (capabilities(7)). */
  readonly capabilities: readonly FileCapability[];
  /** Whether it runs in a user namespace that does not know every uid: files of the others seem to belong to 65534. */
  readonly ownUserNamespace: boolean;
}

export type FileCapability = "DAC_OVERRIDE" | "DAC_READ_SEARCH";

/** Bits of the capability sets, in linux/capability.h. */
const CAPABILITY_BITS = [
  ["DAC_OVERRIDE", 1n],
  ["DAC_READ_SEARCH", 2n],
] as const satisfies readonly (readonly [FileCapability, bigint])[];

/** Reads the rights of this process from /proc (proc_pid_status(5)). Never throws: what cannot be read is not there. */
export function readRights(): Rights {
  return parseRights(readText("/proc/self/status"), readText("/proc/self/uid_map"));
}

/**
 * @param status the text of `/proc/PID/status`
 * @param uidMap that of `/proc/PID/uid_map`
 */
export function parseRights(status: string, uidMap: string): Rights {
  const fieldsOf = (name: string) =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1]?.trim().split(/\s+/) ?? [];
  // Real, effective, saved and file system's: the last one counts for files.
  const group = fieldsOf("Gid")[3];
  const groups = [...(group === undefined ? [] : [group]), ...fieldsOf("Groups")].filter((text) => text !== "");
  const effective = BigInt(`0x${fieldsOf("CapEff")[0] ?? "0"}`);
  return {
    groups: [...new Set(groups.map(Number))],
    capabilities: CAPABILITY_BITS.flatMap(([name, bit]) => (((effective >> bit) & 1n) === 1n ? [name] : [])),
    ownUserNamespace: uidMap !== "" && !/^\s*0\s+0\s+4294967295\s*$/.test(uidMap),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
