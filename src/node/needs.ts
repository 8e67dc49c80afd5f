/** How this process looks at others. */
export interface ProcAccess {
  /** `/proc`, or `/host/proc`. */
  readonly procDir: string;
  /** Our own effective user id. */
  readonly uid: number;
}

/** What this process would need to see more of another one. */
export type Need =
  /** The processes of the node, rather than of this container alone. */
  | "hostPID"
  | "uid 0"
  /** The capability; uid 0 without it sees only processes that have no more capabilities than itself (ptrace(2)). */
  | "SYS_PTRACE";

/** What is to be seen of a process, or what it takes to see it. */
export type Seen<T> =
  | { readonly kind: "seen"; readonly value: T }
  | { readonly kind: "notPermitted"; readonly needs: Need }
  /** There is nothing to see: it has ended, does not answer in time, or this kernel does not tell. */
  | { readonly kind: "unknown" };

/** What it takes where the kernel says EACCES of a process. */
export function needOf(uid: number): Need {
  return uid === 0 ? "SYS_PTRACE" : "uid 0";
}
