import { type Cgroup, readCgroups } from "./cgroups";
import { readUids } from "./proc-files";
import { describeWait, type ProcessState, readProcessStat } from "./process-state";
import { readLink, readNames, readText, valueOf } from "../base/reads";

/** A process. Its `name` is not escaped. */
export interface ProcessFacts {
  readonly pid: number;
  /** `comm`: at most 15 bytes, which the process can change. */
  readonly name: string;
  readonly state: ProcessState;
  /** What its first thread waits for, as `describeWait` says it. */
  readonly wait: string | undefined;
  /** At most `MAX_BLOCKED` of its threads in state D. The process's own state does not show them. */
  readonly blocked: readonly BlockedThread[];
  /** Its effective user id, in our user namespace. */
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
  readonly state: ProcessState;
  readonly wait: string | undefined;
}

const MAX_BLOCKED = 64;

/** Reads proc(5); undefined if the process has ended. Never throws. */
export function describeProcess(procDir: string, pid: number): ProcessFacts | undefined {
  const directory = `${procDir}/${pid}`;
  const stat = readProcessStat(directory);
  if (stat === undefined) return undefined;
  const uptime = /^[\d.]+/.exec(readText(`${procDir}/uptime`))?.[0];
  return {
    pid,
    name: readText(`${directory}/comm`).replace(/\n$/, ""),
    state: stat.state,
    wait: describeWait(readText(`${directory}/wchan`)),
    blocked: blockedThreads(directory),
    uid: readUids(procDir, pid)?.[1],
    ageMs: uptime === undefined ? undefined : Math.max(0, Number(uptime) * 1_000 - stat.startedMs),
    executable: valueOf(readLink(`${directory}/exe`)),
    cgroups: readCgroups(directory),
  };
}

/**
 * A process by its second look: of its threads in state D, only those that have not run since the first. A thread that
 * uses a disk is in that state every now and then.
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
      const state = readProcessStat(task)?.state;
      if (state?.letter !== "D") return [];
      const switches = /^voluntary_ctxt_switches:\t(\d+)$/m.exec(readText(`${task}/status`))?.[1];
      return [{ id, switches, state, wait: describeWait(readText(`${task}/wchan`)) }];
    })
    .slice(0, MAX_BLOCKED);
}

/**
 * Reads the label that a Linux security module has given a process, with the module: `cri-containerd.apparmor.d
 * (enforce) (AppArmor)`. Undefined if no module gives it one, or if it is `unconfined`.
 *
 * The label of a socket's file takes getxattr(2), which this runtime cannot call without its JIT. But SELinux also
 * checks the label of the process that listens (`unix_stream_socket connectto`).
 */
export function readSecurityLabel(procDir: string, pid: number | "self"): string | undefined {
  const labelIn = (file: string) => readText(`${procDir}/${pid}/attr/${file}`).replace(/[\0\n]+$/, "");
  // AppArmor has its own files since Linux 5.8; `current` belongs to the first module.
  const own = labelIn("apparmor/current");
  const label = own === "" ? labelIn("current") : own;
  if (label === "" || label === "unconfined") return undefined;
  return `${label} (${own === "" && SELINUX_CONTEXT.test(label) ? "SELinux" : "AppArmor"})`;
}

// user:role:type, and in most policies :range.
const SELINUX_CONTEXT = /^[^:\s]+:[^:\s]+:[^:\s]+(:\S+)?$/;
