/** An instant at which waiting ends, with its timer. */
export interface Deadline {
  readonly timeoutMs: number;
  elapsedMs(): number;
  remainingMs(): number;
  /** Resolves when the deadline has passed or, earlier, after `ms`. */
  sleep(ms: number): Promise<void>;
  /** Calls `expire` when the deadline passes, for one waiter at a time; the returned function cancels it. */
  onExpiry(expire: () => void): () => void;
  /** Frees the timer. Call it on every path. */
  clear(): void;
}

/** Starts a deadline `timeoutMs` from now. */
export function startDeadline(timeoutMs: number): Deadline {
  const startedAt = performance.now();
  let waiter: (() => void) | undefined;
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    waiter?.();
  }, timeoutMs);

  function onExpiry(expire: () => void): () => void {
    if (expired) queueMicrotask(expire);
    else waiter = expire;
    return () => {
      if (waiter === expire) waiter = undefined;
    };
  }

  const elapsedMs = () => performance.now() - startedAt;
  return {
    timeoutMs,
    elapsedMs,
    remainingMs: () => (expired ? 0 : Math.max(0, timeoutMs - elapsedMs())),
    onExpiry,
    sleep: (ms) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const early = setTimeout(resolve, ms);
      const forget = onExpiry(resolve);
      return promise.finally(() => {
        clearTimeout(early);
        forget();
      });
    },
    clear: () => clearTimeout(timer),
  };
}
