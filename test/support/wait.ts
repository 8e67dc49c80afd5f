/** Ends a hang and measures nothing: cold starts on a busy machine with two cores take seconds. */
export const WAIT_BOUND_MS = 60_000;

/** Between two looks, in milliseconds. */
const INTERVAL_MS = 5;

/**
 * Waits until `predicate` holds. This is the one place where tests poll.
 *
 * @param what what is waited for, worded to follow "waited for"; a function is asked when the time is up
 * @returns the first value that is not false, null or undefined
 * @throws after WAIT_BOUND_MS, saying what was waited for
 */
export async function waitUntil<T>(
  predicate: () => T | Promise<T>,
  what: string | (() => string),
  boundMs = WAIT_BOUND_MS,
): Promise<Exclude<T, false | null | undefined>> {
  const start = performance.now();
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other is the point
    const value = await predicate();
    if (isThere(value)) return value;
    if (performance.now() - start >= boundMs) {
      throw new Error(`waited ${boundMs} ms in vain for ${typeof what === "string" ? what : what()}`);
    }
    // oxlint-disable-next-line no-await-in-loop
    await Bun.sleep(INTERVAL_MS);
  }
}

function isThere<T>(value: T): value is Exclude<T, false | null | undefined> {
  return value !== false && value !== null && value !== undefined;
}
