import type { FileCapability, Rights } from "./rights";
import type { SocketFile } from "./socket-file";

/** Whose a file is, and who may do what to it. */
export interface FilePermissions {
  readonly uid: number;
  readonly gid: number;
  /** The permission bits. */
  readonly mode: number;
}

/** Says why we may not write to a socket's file, and what would allow it. */
export function explainUnwritable(file: Extract<SocketFile, { readonly kind: "socket" }>, path: string): string {
  const { rights, writable } = file;
  const owned = `${path} ${describeOwner(file)}`;
  // A security module may refuse access(2) too, so the mode decides.
  if (writable || isAllowed("write", file, rights))
    return `${owned}; uid ${rights.uid} may connect by its permissions${REFUSED_OTHERWISE}`;
  const advice = adviseOn("write", file, rights, `let the driver make its socket writable for uid ${rights.uid}`);
  return `${owned}, and connecting as ${describeUid("write", rights)} needs write permission; ${advice.join(", or ")}`;
}

/** Says why we may not reach the path of a socket, and what would allow it. */
export function explainUnreachable(
  { directory, rights }: Extract<SocketFile, { readonly kind: "unreachable" }>,
  path: string,
): string {
  const blocked = `uid ${rights.uid} may not reach ${path}`;
  if (directory === undefined)
    return `${blocked}: a directory on the way, behind a symbolic link, denies it; run livenessprobe as the uid that owns the directory, or open it`;
  const owned = `${blocked}: the directory ${directory.path} ${describeOwner(directory)}`;
  if (isAllowed("search", directory, rights))
    return `${owned}; uid ${rights.uid} may search it by its permissions${REFUSED_OTHERWISE}`;
  const advice = adviseOn("search", directory, rights, `open the directory to uid ${rights.uid}`);
  return `${owned}, and ${describeUid("search", rights)} needs search permission (x); ${advice.join(", or ")}`;
}

const REFUSED_OTHERWISE =
  ", so something else refuses it, such as SELinux, AppArmor or seccomp: see the node's audit log";

function describeOwner({ uid, gid, mode }: FilePermissions): string {
  return `belongs to uid ${uid} and gid ${gid} with mode ${formatMode(mode)}`;
}

/**
 * What somebody needs: to write to a socket, which connect(2) asks for (unix(7)), or to search a directory
 * (path_resolution(7)).
 */
export type Need = "write" | "search";

const BIT: Readonly<Record<Need, number>> = { write: 0o2, search: 0o1 };

/** The capabilities that stand in for the bit, the narrowest last (capabilities(7)). */
const SUBSTITUTES: Readonly<Record<Need, readonly FileCapability[]>> = {
  write: ["DAC_OVERRIDE"],
  search: ["DAC_OVERRIDE", "DAC_READ_SEARCH"],
};

/** What a uid or gid that is not in our user namespace looks like (user_namespaces(7)). */
const OVERFLOW_ID = 65_534;

/**
 * Whether the permissions of a file allow it to a process with these rights: what is refused all the same, something
 * else refuses.
 */
export function isAllowed(need: Need, file: FilePermissions, rights: Rights): boolean {
  if (hasBit(need, file.mode, classOf(file, rights))) return true;
  return !isForeign(file, rights) && SUBSTITUTES[need].some((name) => rights.capabilities.includes(name));
}

/**
 * What would allow it to a process that is not allowed it: each is a uid, group, capability or mode that it does not
 * have.
 *
 * @param chmod how the file is opened to it: "let the driver make its socket writable for uid 1"
 */
export function adviseOn(need: Need, file: FilePermissions, rights: Rights, chmod: string): readonly string[] {
  const { mode } = file;
  const kind = classOf(file, rights);
  const opened = `${chmod} (mode ${formatMode(mode | bitsFor(need, kind))})`;
  if (isForeign(file, rights))
    return ["run livenessprobe in the node's user namespace (hostUsers: true), which knows its owner", opened];
  const asOwner = kind !== "owner" && hasBit(need, mode, "owner");
  const asGroup = kind === "others" && hasBit(need, mode, "group");
  const byCapability = rights.uid === 0 || (!asOwner && !asGroup);
  const asRoot = rights.uid === 0 ? "with" : "as uid 0 with";
  return [
    ...(asOwner ? [runAs(file.uid)] : []),
    ...(asGroup ? [`run livenessprobe with the group ${file.gid} (supplementalGroups: [${file.gid}])`] : []),
    ...(byCapability ? [`run livenessprobe ${asRoot} the capability ${SUBSTITUTES[need].at(-1)}`] : []),
    opened,
  ];
}

/** Who asks, as far as it matters: uid 0 is allowed everything in most places, and not without its capability. */
export function describeUid(need: Need, { uid, capabilities }: Rights): string {
  const capability = SUBSTITUTES[need].findLast((name) => !capabilities.includes(name));
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
function classOf(file: FilePermissions, { uid, groups }: Rights): PermissionClass {
  if (file.uid === uid) return "owner";
  return groups.includes(file.gid) ? "group" : "others";
}

const SHIFT: Readonly<Record<PermissionClass, number>> = { owner: 6, group: 3, others: 0 };

function hasBit(need: Need, mode: number, kind: PermissionClass): boolean {
  return ((mode >> SHIFT[kind]) & BIT[need]) !== 0;
}

/** The bits to add for a class, and for those before it: whoever may less than others is a surprise. */
function bitsFor(need: Need, kind: PermissionClass): number {
  return [6, 3, 0].reduce((bits, shift) => (shift < SHIFT[kind] ? bits : bits | (BIT[need] << shift)), 0);
}

function isForeign({ uid, gid }: FilePermissions, { ownUserNamespace }: Rights): boolean {
  return ownUserNamespace && (uid === OVERFLOW_ID || gid === OVERFLOW_ID);
}
