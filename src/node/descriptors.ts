import { openFilesLimit } from "../base/shortage";
import { readNames, valueOf } from "../base/reads";

/** Runs a limited number of tasks at once. The others wait in the order of their calls. */
export interface Slots {
  use<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** As many slots as sockets can be asked at once with the file descriptors that are left; at least one. */
export function createSlots(): Slots {
  const open = valueOf(readNames("/proc/self/fd"))?.length ?? 0;
  let free = Math.max(1, Math.floor(((openFilesLimit() ?? USUAL_LIMIT) - open - SPARE) / FOR_EACH));
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

const USUAL_LIMIT = 1_024;
/** For the files that are read in the meantime. */
const SPARE = 16;
/** The pinned socket, the connection, and one more to explain a refusal. */
const FOR_EACH = 3;
