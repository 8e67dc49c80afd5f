import { type Cgroup, parseCgroups } from "./cgroups";
import { needOf, type ProcAccess, type Seen } from "../node/needs";
import { readUids } from "./proc-files";
import { describeWait, parseProcessStat, type ProcessState, type Wait } from "./process-state";
import { type Read, readLink, readNames, readText, valueOf } from "../node/reads";

/** A process, as far as it is to be seen. What a process says of itself (`name`) is not made safe for a terminal. */
export interface ProcessFacts {
  readonly pid: number;
  /** `comm`: at most 15 bytes, which the process may change. */
  readonly name: string;
  readonly state: ProcessState;
  /** What its first thread waits for. */
  readonly wait: Wait;
  /** Its threads in state D, at most `MAX_BLOCKED`: a process sleeps quietly while one of its threads hangs. */
  readonly blocked: readonly BlockedThread[];
  /** Its effective user id, as this process counts them. */
  readonly uid: number | undefined;
  /** How long ago it started, in milliseconds. */
  readonly ageMs: number | undefined;
  /** The executable, in its own mount namespace. */
  readonly executable: Seen<string>;
  readonly cgroups: readonly Cgroup[];
}

export interface BlockedThread {
  readonly name: string;
  readonly state: ProcessState;
  readonly wait: Wait;
}

export type ProcessOutcome =
  | { readonly kind: "seen"; readonly process: ProcessFacts }
  /** It has ended. */
  | { readonly kind: "gone" };

export const MAX_BLOCKED = 8;

/** Describes a process by proc(5). Never throws, and needs no rights but for what is `Seen`, and for where it waits. */
export function describeProcess(access: ProcAccess, pid: number): ProcessOutcome {
  const { procDir, uid } = access;
  const directory = `${procDir}/${pid}`;
  const stat = parseProcessStat(valueOf(readText(`${directory}/stat`)) ?? "");
  if (stat === undefined) return { kind: "gone" };
  return {
    kind: "seen",
    process: {
      pid,
      name: nameIn(directory),
      state: stat.state,
      wait: waitIn(directory),
      blocked: blockedThreads(directory),
      uid: readUids(procDir, pid)?.effective,
      ageMs: ageMs(valueOf(readText(`${procDir}/uptime`)) ?? "", stat.startedMs),
      executable: seen(readLink(`${directory}/exe`), uid),
      cgroups: parseCgroups(valueOf(readText(`${directory}/cgroup`)) ?? ""),
    },
  };
}

function blockedThreads(directory: string): readonly BlockedThread[] {
  return (valueOf(readNames(`${directory}/task`)) ?? [])
    .map((tid) => `${directory}/task/${tid}`)
    .flatMap((task) => {
      const state = parseProcessStat(valueOf(readText(`${task}/stat`)) ?? "")?.state;
      return state?.letter === "D" ? [{ name: nameIn(task), state, wait: waitIn(task) }] : [];
    })
    .slice(0, MAX_BLOCKED);
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

function seen<T>(read: Read<T>, uid: number): Seen<T> {
  switch (read.kind) {
    case "read":
      return { kind: "seen", value: read.value };
    case "notPermitted":
      return { kind: "notPermitted", needs: needOf(uid) };
    case "missing":
    case "failed":
      return { kind: "unknown" };
  }
  return read satisfies never;
}
