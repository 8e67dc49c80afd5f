import { openFilesLimit } from "../base/shortage";
import { readNames, valueOf } from "../base/reads";

/** Runs a limited number of tasks at once. The others wait in the order of their calls. */
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

/** How many sockets can be asked at once with the file descriptors that are left. At least one. */
export function countConnections(): number {
  const open = valueOf(readNames("/proc/self/fd"))?.length ?? 0;
  return Math.max(1, Math.floor(((openFilesLimit() ?? USUAL_LIMIT) - open - SPARE) / FOR_EACH));
}

const USUAL_LIMIT = 1_024;
/** For the files that are read in the meantime. */
const SPARE = 16;
/** The pinned socket, the connection, and one more to explain a refusal. */
const FOR_EACH = 3;
