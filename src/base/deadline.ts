/** An instant at which waiting ends, with its timer. */
export interface Deadline {
  /** As it was set, without `GRACE_MS`. */
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

/** A timer that fires so late, in milliseconds, says that this process did not run: it was stopped, frozen or starved. */
const PAUSED_MS = 20;

/** How long such a process may take, in milliseconds, to read what came meanwhile and to finish. */
const GRACE_MS = 250;

/**
 * Starts a deadline `timeoutMs` from now. If this process did not run when the deadline passed, it lasts `GRACE_MS` longer: an answer
 * that came meanwhile has not been read, and whoever sent it must not be said to hang.
 */
export function startDeadline(timeoutMs: number): Deadline {
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  let limitMs = timeoutMs;
  let waiter: (() => void) | undefined;
  let expired = false;
  let timer = setTimeout(() => {
    extendIfPaused();
    if (limitMs === timeoutMs) end();
  }, timeoutMs);

  /** Once, and before the late timer too: what is read first may begin a call, which must not be given no time. */
  function extendIfPaused(): void {
    if (limitMs !== timeoutMs || elapsedMs() - timeoutMs < PAUSED_MS) return;
    limitMs = elapsedMs() + GRACE_MS;
    clearTimeout(timer);
    timer = setTimeout(end, GRACE_MS);
  }

  function end(): void {
    expired = true;
    waiter?.();
  }

  function onExpiry(expire: () => void): () => void {
    if (expired) queueMicrotask(expire);
    else waiter = expire;
    return () => {
      if (waiter === expire) waiter = undefined;
    };
  }

  return {
    timeoutMs,
    elapsedMs,
    remainingMs: () => {
      if (expired) return 0;
      extendIfPaused();
      return Math.max(0, limitMs - elapsedMs());
    },
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
