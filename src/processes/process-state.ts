import { readText } from "../base/reads";

/** The state of a process or thread, as in `ps`. */
export interface ProcessState {
  /** As in `/proc/PID/stat` (proc_pid_stat(5)): `R`, `S`, `D`, `T`, ... */
  readonly letter: string;
  /** What the letter stands for. */
  readonly word: string;
}

export interface ProcessStat {
  readonly state: ProcessState;
  /** 0 where the parent is not in our process namespace. */
  readonly parentPid: number;
  /** When it started, in milliseconds after the machine did. */
  readonly startedMs: number;
  /** Whether it is a thread of the kernel. */
  readonly isKernelThread: boolean;
}

/** Reads the stat of a process or thread, by its directory in /proc; undefined if it has ended. */
export function readProcessStat(directory: string): ProcessStat | undefined {
  return parseProcessStat(readText(`${directory}/stat`));
}

/** Parses `/proc/PID/stat`; undefined if it is not one. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  // Field 2, the name, may contain spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => fields[number - 3];
  const letter = field(3);
  const flags = Number(field(9) ?? Number.NaN);
  const ticks = Number(field(22) ?? Number.NaN);
  if (letter === undefined || Number.isNaN(ticks)) return undefined;
  return {
    state: { letter, word: WORDS.get(letter) ?? "unknown" },
    parentPid: Number(field(4)),
    startedMs: (ticks / TICKS_PER_SECOND) * 1_000,
    isKernelThread: (flags & PF_KTHREAD) !== 0,
  };
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["R", "running"],
  ["S", "sleeping"],
  ["D", "uninterruptible"],
  ["T", "stopped"],
  ["t", "stopped by a debugger"],
  ["Z", "zombie"],
  ["X", "dead"],
  ["I", "idle"],
  ["P", "parked"],
]);

// linux/sched.h
const PF_KTHREAD = 0x20_0000;

// Linux reports times in USER_HZ, which is 100 on every architecture that Bun runs on.
const TICKS_PER_SECOND = 100;

/**
 * What a thread waits for in the kernel: `waits for an NFS server (rpc_wait_bit_killable)`; undefined if that is not
 * known.
 *
 * @param wchan the text of `/proc/PID/wchan`, the function of the kernel in which it sleeps: `0` if in none, or if we
 *   may not know
 */
export function describeWait(wchan: string): string | undefined {
  const whatFor = CHANNELS.find(([pattern]) => pattern.test(wchan))?.[1];
  return whatFor === undefined ? undefined : `waits for ${whatFor} (${wchan})`;
}

// By the beginning of the function's name, in Linux 4.18 to 6.18.
const CHANNELS: readonly (readonly [RegExp, string])[] = [
  [/^_*(rpc|nfs|nfs4|xprt)_/, "an NFS server"],
  [/^_*(cifs|smb|smb2|compound_send_recv|wait_for_response)/, "an SMB server"],
  [/^_*(ceph|rbd)_/, "a Ceph cluster"],
  [/^_*(fuse|request_wait_answer)/, "the process behind a FUSE file system"],
  [/^_*(p9|v9fs)_/, "a 9P server"],
  [/^_*autofs/, "an automount"],
  [/^_*(io_schedule|folio_wait|wait_on_page|lock_page|balance_dirty)/, "a disk or a file server"],
  [/^_*(wait_on_buffer|bit_wait_io|submit_bio)/, "a disk"],
  [/^_*(blk|bio|rq_qos|wbt|jbd2|ext4|xfs|btrfs|iomap|writeback|wb|wait_sb_inodes|sync)_/, "a disk"],
  [/^_*(scsi|nvme|sg|dm|md)_/, "a disk"],
  [/^_*(mem_cgroup|try_charge|out_of_memory)/, "memory"],
  [/^(__refrigerator|do_freezer_trap|cgroup_freeze)/, "its container to be thawed"],
  [/^_*(rwsem|mutex|down|percpu_rwsem|rt_mutex)_/, "a lock in the kernel, which another thread holds"],
  [/^(kernel_clone|_do_fork|do_fork|wait_for_vfork)/, "a program that it starts"],
];
