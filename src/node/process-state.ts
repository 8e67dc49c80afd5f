/** What a process or thread does at this moment, as `ps` shows it. */
export interface ProcessState {
  /** As in `/proc/PID/stat` (proc_pid_stat(5)): `R`, `S`, `D`, `T`, ... */
  readonly letter: string;
  /** What the letter stands for. */
  readonly word: string;
}

export interface ProcessStat {
  readonly state: ProcessState;
  /** When it started, in milliseconds after the machine did. */
  readonly startedMs: number;
  /** Whether it is a thread of the kernel's own: its name may be anybody's, this may not. */
  readonly isKernelThread: boolean;
}

/** Reads `/proc/PID/stat`, or that of a thread; undefined where the text is not one. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  // The name in field 2 may hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => fields[number - 3];
  const letter = field(3);
  const flags = Number(field(9) ?? Number.NaN);
  const ticks = Number(field(22) ?? Number.NaN);
  if (letter === undefined || Number.isNaN(ticks)) return undefined;
  return {
    state: { letter, word: WORDS[letter] ?? "unknown" },
    startedMs: (ticks / TICKS_PER_SECOND) * 1_000,
    isKernelThread: (flags & PF_KTHREAD) !== 0,
  };
}

const WORDS: Readonly<Record<string, string>> = {
  R: "running",
  S: "sleeping",
  D: "uninterruptible",
  T: "stopped",
  t: "stopped by a debugger",
  Z: "zombie",
  X: "dead",
  I: "idle",
  P: "parked",
};

// linux/sched.h
const PF_KTHREAD = 0x20_0000;

// Linux reports times in USER_HZ, which is 100 on every architecture that Bun runs on.
const TICKS_PER_SECOND = 100;
