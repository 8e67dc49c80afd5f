import { readNames, readText, valueOf } from "./reads";

/** Lets so many do their work at once; the others wait for their turn, in order. */
export interface Slots {
  use<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    use: async (work) => {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}

/** For how many sockets file descriptors are left (getrlimit(2), RLIMIT_NOFILE). At least one. */
export function countConnections(): number {
  const limit = /^Max open files +(\d+)/m.exec(valueOf(readText("/proc/self/limits")) ?? "")?.[1];
  const open = valueOf(readNames("/proc/self/fd"))?.length ?? 0;
  return Math.max(1, Math.floor((Number(limit ?? USUAL_LIMIT) - open - SPARE) / FOR_EACH));
}

const USUAL_LIMIT = 1_024;
/** For all that is read in the meantime. */
const SPARE = 16;
/** The socket's file that is held, the connection, and one more while a refusal is looked into. */
const FOR_EACH = 3;
