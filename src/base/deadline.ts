/**
 * A timer that fires so late, in milliseconds, says that this process did not run: it was stopped, frozen or starved.
 */
const PAUSED_MS = 20;

/** How long such a process may take, in milliseconds, to read what came meanwhile and to finish. */
const GRACE_MS = 250;

/**
 * An instant at which waiting ends, `timeoutMs` from now, with its timer. If this process did not run when it passed,
 * it lasts `GRACE_MS` longer: an answer that came meanwhile has not been read, and whoever sent it must not be said to
 * hang.
 *
 * A class, because each probe makes one, and an object with closures would be a dozen objects.
 */
export class Deadline {
  /** As it was set, without `GRACE_MS`. */
  readonly timeoutMs: number;
  readonly #startedAt = performance.now();
  #limitMs: number;
  #timer: ReturnType<typeof setTimeout>;
  #waiter: (() => void) | undefined;
  #expired = false;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.#limitMs = timeoutMs;
    this.#timer = setTimeout(() => {
      this.#extendIfPaused();
      if (this.#limitMs === timeoutMs) this.expire();
    }, timeoutMs);
  }

  elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  remainingMs(): number {
    if (this.#expired) return 0;
    this.#extendIfPaused();
    return Math.max(0, this.#limitMs - this.elapsedMs());
  }

  /** Resolves when the deadline has passed or, earlier, after `ms`. */
  sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const early = setTimeout(resolve, ms);
    this.onExpiry(resolve);
    return promise.finally(() => clearTimeout(early));
  }

  /**
   * Calls `waiter` when the deadline passes, or soon if it has passed. One waits at a time: the waiter before is
   * forgotten.
   */
  onExpiry(waiter: () => void): void {
    if (this.#expired) queueMicrotask(waiter);
    else this.#waiter = waiter;
  }

  /** Lets it pass now. */
  expire(): void {
    this.clear();
    this.#expired = true;
    this.#waiter?.();
  }

  /** Frees the timer. Call it on every path. */
  clear(): void {
    clearTimeout(this.#timer);
  }

  /** Once, and before the late timer too: what is read first may begin a call, which must not be given no time. */
  #extendIfPaused(): void {
    if (this.#limitMs !== this.timeoutMs || this.elapsedMs() - this.timeoutMs < PAUSED_MS) return;
    this.#limitMs = this.elapsedMs() + GRACE_MS;
    this.clear();
    this.#timer = setTimeout(() => this.expire(), GRACE_MS);
  }
}
