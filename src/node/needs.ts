/** How this process looks at others. */
export interface ProcAccess {
  /** `/proc`, or `/host/proc`. */
  readonly procDir: string;
  /** Our own effective user id. */
  readonly uid: number;
}

/** What this process lacks to see more of another one. */
export type Need =
  /** The node's process namespace. */
  | "hostPID"
  | "uid 0"
  /** The capability. Without it, uid 0 sees only processes with no more capabilities than its own (ptrace(2)). */
  | "SYS_PTRACE";

/** What this process lacks where the kernel says EACCES. */
export function needOf(uid: number): Need {
  return uid === 0 ? "SYS_PTRACE" : "uid 0";
}
