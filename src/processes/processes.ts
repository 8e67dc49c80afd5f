import { type Cgroup, parseCgroups } from "./cgroups";
import { readUids } from "./proc-files";
import { describeWait, parseProcessStat, type ProcessState, type Wait } from "./process-state";
import { readLink, readNames, readText, valueOf } from "../node/reads";

/** A process. Its `name` is not escaped. */
export interface ProcessFacts {
  readonly pid: number;
  /** `comm`: at most 15 bytes, which the process can change. */
  readonly name: string;
  readonly state: ProcessState;
  /** What its first thread waits for. */
  readonly wait: Wait;
  /** At most `MAX_BLOCKED` of its threads in state D. The process's own state does not show them. */
  readonly blocked: readonly BlockedThread[];
  /** Its effective user id in our user namespace. */
  readonly uid: number | undefined;
  /** How long ago it started, in milliseconds. */
  readonly ageMs: number | undefined;
  /** The path of its executable in its mount namespace; undefined if we may not see it. */
  readonly executable: string | undefined;
  readonly cgroups: readonly Cgroup[];
}

export interface BlockedThread {
  readonly id: string;
  /** How often it has given up the processor of itself. A thread that hangs does not. */
  readonly switches: string | undefined;
  readonly name: string;
  readonly state: ProcessState;
  readonly wait: Wait;
}

export const MAX_BLOCKED = 64;

/** Reads proc(5); undefined if the process has ended. Never throws. */
export function describeProcess(procDir: string, pid: number): ProcessFacts | undefined {
  const directory = `${procDir}/${pid}`;
  const stat = parseProcessStat(valueOf(readText(`${directory}/stat`)) ?? "");
  if (stat === undefined) return undefined;
  return {
    pid,
    name: nameIn(directory),
    state: stat.state,
    wait: waitIn(directory),
    blocked: blockedThreads(directory),
    uid: readUids(procDir, pid)?.effective,
    ageMs: ageMs(valueOf(readText(`${procDir}/uptime`)) ?? "", stat.startedMs),
    executable: valueOf(readLink(`${directory}/exe`)),
    cgroups: parseCgroups(valueOf(readText(`${directory}/cgroup`)) ?? ""),
  };
}

/**
 * A process by its second look: of its threads in state D, only those that have not run since the first. A thread that uses a disk is in
 * that state every now and then.
 */
export function withoutShortWaits(before: ProcessFacts, after: ProcessFacts): ProcessFacts {
  const hang = ({ id, switches }: BlockedThread): boolean =>
    before.blocked.some((thread) => thread.id === id && thread.switches === switches);
  return { ...after, blocked: after.blocked.filter(hang) };
}

function blockedThreads(directory: string): readonly BlockedThread[] {
  return (valueOf(readNames(`${directory}/task`)) ?? [])
    .flatMap((id) => {
      const task = `${directory}/task/${id}`;
      const state = parseProcessStat(valueOf(readText(`${task}/stat`)) ?? "")?.state;
      if (state?.letter !== "D") return [];
      return [{ id, switches: switchesOf(task), name: nameIn(task), state, wait: waitIn(task) }];
    })
    .slice(0, MAX_BLOCKED);
}

function switchesOf(directory: string): string | undefined {
  return /^voluntary_ctxt_switches:\t(\d+)$/m.exec(valueOf(readText(`${directory}/status`)) ?? "")?.[1];
}

function waitIn(directory: string): Wait {
  return describeWait(valueOf(readText(`${directory}/wchan`)));
}

function nameIn(directory: string): string {
  return (valueOf(readText(`${directory}/comm`)) ?? "").replace(/\n$/, "");
}

function ageMs(uptime: string, startedMs: number): number | undefined {
  const seconds = /^[\d.]+/.exec(uptime)?.[0];
  return seconds === undefined ? undefined : Math.max(0, Number(seconds) * 1_000 - startedMs);
}

/** The label that a Linux security module has given a process. */
export type SecurityLabel =
  /** Such as `system_u:system_r:container_t:s0:c1,c2`. */
  | { readonly module: "SELinux"; readonly label: string }
  /** Such as `cri-containerd.apparmor.d (enforce)`. */
  | { readonly module: "AppArmor"; readonly label: string };

/**
 * Reads a process's label; undefined if no module gives it one, or if it is `unconfined`.
 *
 * The label of a socket's file takes getxattr(2), which this runtime cannot call without its JIT. But SELinux also checks the label of
 * the process that listens (`unix_stream_socket connectto`).
 */
export function readSecurityLabel(procDir: string, pid: number | "self"): SecurityLabel | undefined {
  const attributes = `${procDir}/${pid}/attr`;
  // AppArmor has its own files since Linux 5.8; `current` belongs to the first module.
  const own = labelIn(`${attributes}/apparmor/current`);
  const label = own ?? labelIn(`${attributes}/current`);
  if (label === undefined || label === "unconfined") return undefined;
  const isAppArmor = own !== undefined || !SELINUX_CONTEXT.test(label);
  return { module: isAppArmor ? "AppArmor" : "SELinux", label };
}

// user:role:type, and in most policies :range.
const SELINUX_CONTEXT = /^[^:\s]+:[^:\s]+:[^:\s]+(:\S+)?$/;

function labelIn(path: string): string | undefined {
  const label = valueOf(readText(path))?.replace(/[\0\n]+$/, "");
  return label === "" ? undefined : label;
}
