/** Work that takes this thread for a while, in slices between which everything else has its turn. */
export interface Slices {
  /** To be awaited often: returns at once until the slice is over, and then after all that waits. */
  pause(): Promise<void>;
  /** Whether the time for all of it is up. */
  isOver(): boolean;
}

/** How long this thread is kept at most, in milliseconds: signals, timers and answers wait for that long. */
const SLICE_MS = 10;

/** @param boundMs for all of the work, in milliseconds */
export function startSlices(boundMs: number): Slices {
  const until = performance.now() + boundMs;
  let sliceEnd = performance.now() + SLICE_MS;
  return {
    pause: async () => {
      if (performance.now() < sliceEnd) return;
      await new Promise((resolve) => setImmediate(resolve));
      sliceEnd = performance.now() + SLICE_MS;
    },
    isOver: () => performance.now() >= until,
  };
}
