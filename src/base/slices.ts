/** Work that takes this thread for a while, in slices between which everything else has its turn. */
export interface Slices {
  /** The items in order, a slice at a time. Ends before the last item where the time for all of the work is up. */
  of<Item>(items: Iterable<Item>): AsyncGenerator<Iterable<Item>, void>;
  /** Whether items were left out. */
  wasCut(): boolean;
}

/** How long this thread is kept at most, in milliseconds: signals, timers and answers wait for that long. */
const SLICE_MS = 10;

/** @param boundMs for all of the work, in milliseconds */
export function startSlices(boundMs: number): Slices {
  const until = performance.now() + boundMs;
  let sliceEnd = performance.now() + SLICE_MS;
  let cut = false;
  return {
    of: async function* (items) {
      const iterator = items[Symbol.iterator]();
      let next = iterator.next();
      function* slice() {
        for (; next.done !== true && performance.now() < Math.min(sliceEnd, until); next = iterator.next())
          yield next.value;
      }
      while (next.done !== true) {
        if (performance.now() >= sliceEnd) {
          await new Promise((resolve) => setImmediate(resolve));
          sliceEnd = performance.now() + SLICE_MS;
        }
        cut = performance.now() >= until;
        if (cut) return;
        yield slice();
      }
    },
    wasCut: () => cut,
  };
}
