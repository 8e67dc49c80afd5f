import { type ListenerView, reportListeners } from "../inspection/steps/listener";
import type { ListenerReport } from "../inspection/report";
import { readNames, readText, valueOf } from "../base/reads";
import { readCgroups, readOomKills } from "../processes/cgroups";
import { findPod, type Pod } from "../processes/pod";
import { readProcessStat } from "../processes/process-state";
import { describeProcess } from "../processes/processes";
import type { DriverRecord } from "./driver-record";

/** The process that listens on a driver's socket, as it was seen. */
export interface DriverProcess {
  readonly listener: ListenerReport;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number | undefined;
  /** In the kernel's own count: with the pid, it tells one process from the next. */
  readonly startedTicksMs: number;
}

/**
 * Where nobody is found to listen, it is looked again less and less often, in milliseconds: it may mean to look at
 * every process.
 */
const LOOK_AGAIN_MS = { first: 1_000, longest: 300_000 } as const;

export interface LookOptions {
  readonly nowMs: number;
  /** Another process than the last one listens. */
  readonly onRestart: (record: DriverRecord, pid: number) => void;
}

/**
 * Looks how the processes are that are known, and who listens on the sockets of which it is not known. Never rejects.
 */
export async function lookAtProcesses(
  view: ListenerView,
  records: readonly DriverRecord[],
  { nowMs, onRestart }: LookOptions,
): Promise<void> {
  for (const record of records) followProcess(view, record);
  const unknown = records.flatMap((record) =>
    record.place.kind === "socket" && record.process === undefined && record.lookAgainMs <= nowMs
      ? [{ record, socket: record.place.socket }]
      : [],
  );
  if (unknown.length === 0) return;
  const sockets = unknown.map(({ socket }) => socket);
  const { byFileId } = await reportListeners(view, sockets);
  for (const { record, socket } of unknown) {
    record.lookAgainMs = nowMs + Math.min(LOOK_AGAIN_MS.first * 2 ** record.lookFailures, LOOK_AGAIN_MS.longest);
    record.lookFailures += 1;
    const listener = byFileId.get(socket.fileId);
    const process = listener && seeProcess(view.procDir, listener);
    if (process === undefined) continue;
    if (record.lastProcess !== undefined && !isSame(record.lastProcess, process))
      onRestart(record, process.listener.pid);
    record.process = process;
    record.lastProcess = process;
    record.oomKills = countOomKills(view, process.listener.pid);
  }
}

/** Looks at the process that listened last. */
function followProcess(view: ListenerView, record: DriverRecord): void {
  const { process } = record;
  if (process === undefined) return;
  const { procDir } = view;
  const { listener, startedTicksMs } = process;
  const stat = readProcessStat(`${procDir}/${listener.pid}`);
  if (stat?.startedMs !== startedTicksMs || stat.state.letter === "Z") {
    record.process = undefined;
    record.lookAgainMs = 0;
    record.lookFailures = 0;
    return;
  }
  record.oomKills = countOomKills(view, listener.pid) ?? record.oomKills;
  if (record.surveyed.report.outcome.kind === "ready" && listener.state.letter === "S") return;
  const described = describeProcess(procDir, listener.pid);
  if (described === undefined) return;
  const state = described.blocked[0]?.state ?? described.state;
  record.process = { ...process, listener: { ...listener, state } };
}

function seeProcess(procDir: string, listener: ListenerReport): DriverProcess | undefined {
  const stat = readProcessStat(`${procDir}/${listener.pid}`);
  if (stat === undefined) return undefined;
  // In whole seconds, but the same at each look, unless the clock is set: another value would be a restart.
  const bootSeconds = /^btime (\d+)$/m.exec(readText(`${procDir}/stat`))?.[1];
  const startedAtMs = bootSeconds === undefined ? undefined : Number(bootSeconds) * 1_000 + stat.startedMs;
  return { listener, startedAtMs, startedTicksMs: stat.startedMs };
}

function isSame(one: DriverProcess, other: DriverProcess): boolean {
  return one.listener.pid === other.listener.pid && one.startedTicksMs === other.startedTicksMs;
}

/**
 * The kills for want of memory in the process's pod, or else in its container; undefined where they are not to be seen.
 */
function countOomKills({ procDir, root }: ListenerView, pid: number): number | undefined {
  const kills = readOomKills(root, readCgroups(`${procDir}/${pid}`));
  return kills.pod ?? kills.container;
}

export function podOf({ procDir, root, kubeletDirs }: ListenerView, pid: number): Pod | undefined {
  return findPod(root, readCgroups(`${procDir}/${pid}`), kubeletDirs);
}

/** Memory and open descriptors of a process, in words; none where they may not be seen. */
export function describeResources(procDir: string, pid: number): readonly string[] {
  const status = readText(`${procDir}/${pid}/status`);
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  const swapped = /^VmSwap:\s+([1-9]\d*) kB$/m.exec(status)?.[1];
  const threads = /^Threads:\s+(\d+)$/m.exec(status)?.[1];
  const open = valueOf(readNames(`${procDir}/${pid}/fd`))?.length;
  const limit = /^Max open files\s+(\S+)/m.exec(readText(`${procDir}/${pid}/limits`))?.[1];
  return [
    ...(kib === undefined ? [] : [`${mebibytes(kib)} of memory`]),
    ...(swapped === undefined ? [] : [`${mebibytes(swapped)} swapped out`]),
    ...(threads === undefined ? [] : [`${threads} threads`]),
    ...(open === undefined ? [] : [`${open} open descriptors${limit === undefined ? "" : ` of ${limit}`}`]),
  ];
}

function mebibytes(kib: string): string {
  return `${Math.round(Number(kib) / 102.4) / 10} MiB`;
}
