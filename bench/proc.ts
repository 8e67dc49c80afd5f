import { readFileSync, readdirSync } from "node:fs";

/** What proc_pid_status(5) says of a process's memory, in MiB. */
export interface Memory {
  /** With the pages of files, most of which the kernel may take back. */
  readonly residentMib: number;
  readonly anonymousMib: number;
  /** The largest resident set so far. */
  readonly peakMib: number;
}

export interface Activity {
  readonly cpuMs: number;
  /** How often a thread went to sleep, which is how often one was woken. */
  readonly wakeUps: number;
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (name: string): number => field(status, name) / 1_024;
  return { residentMib: mib("VmRSS"), anonymousMib: mib("RssAnon"), peakMib: mib("VmHWM") };
}

/** CPU time of all threads that a process has or had, user and system, in milliseconds; exact to 10 ms. */
export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  // utime and stime, the fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms on every architecture.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What the threads of a process do within a time in which it is left alone; CPU time is exact to the microsecond. */
export async function activityOf(pid: number, milliseconds: number): Promise<Activity> {
  const before = threadsOf(pid);
  await Bun.sleep(milliseconds);
  let cpuMs = 0;
  let wakeUps = 0;
  for (const [thread, now] of threadsOf(pid)) {
    cpuMs += now.cpuMs - (before.get(thread)?.cpuMs ?? 0);
    wakeUps += now.wakeUps - (before.get(thread)?.wakeUps ?? 0);
  }
  return { cpuMs, wakeUps };
}

function threadsOf(pid: number): ReadonlyMap<string, Activity> {
  return new Map(
    readdirSync(`/proc/${pid}/task`).map((thread) => [thread, threadActivity(`/proc/${pid}/task/${thread}`)]),
  );
}

function threadActivity(directory: string): Activity {
  const [nanoseconds = ""] = readFileSync(`${directory}/schedstat`, "utf8").split(" ");
  const status = readFileSync(`${directory}/status`, "utf8");
  return { cpuMs: Number(nanoseconds) / 1e6, wakeUps: field(status, "voluntary_ctxt_switches") };
}

function field(status: string, name: string): number {
  const value = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1];
  if (value === undefined) throw new Error(`the kernel does not tell ${name} of a process`);
  return Number(value);
}
