import { describe, expect, test } from "bun:test";
import { Deadline } from "../../src/base/deadline";
import { MAX_PROBE_TIMEOUT_MS } from "../../src/cli/options";

const LONG_MS = 60_000;
const SHORT_MS = 20;
/** By then a short one has passed, even if this process did not run at its time. */
const AFTER_MS = 500;
/** How much earlier than its time a timer may fire: its clock counts whole milliseconds. */
const EARLY_MS = 2;

describe("a deadline", () => {
  test("counts what has passed up and what remains down", async () => {
    using deadline = start(LONG_MS);
    expect(deadline.timeoutMs).toBe(LONG_MS);
    await deadline.sleep(SHORT_MS);
    const [elapsedMs, remainingMs] = [deadline.elapsedMs(), deadline.remainingMs()];
    expect(elapsedMs).toBeWithin(SHORT_MS - EARLY_MS, LONG_MS);
    expect(elapsedMs + remainingMs).toBeCloseTo(LONG_MS, 0);
  });

  test("has nothing left once it has fired, though its timer was early", async () => {
    using deadline = start(SHORT_MS);
    await expired(deadline);
    expect(deadline.remainingMs()).toBe(0);
    expect(deadline.elapsedMs()).toBeGreaterThan(SHORT_MS - EARLY_MS);
  });

  test("of the longest --probe-timeout does not fire at once, as a timer does that is set too far ahead", async () => {
    using deadline = start(MAX_PROBE_TIMEOUT_MS);
    await waitFor(SHORT_MS);
    expect(deadline.remainingMs()).toBeGreaterThan(MAX_PROBE_TIMEOUT_MS - LONG_MS);
  });

  test("calls the one who waits for it, once", async () => {
    using deadline = start(SHORT_MS);
    let calls = 0;
    deadline.onExpiry(() => (calls += 1));
    await waitFor(AFTER_MS);
    expect(calls).toBe(1);
  });

  test("calls one who comes too late, but not before it has returned to him", async () => {
    using deadline = start(SHORT_MS);
    await expired(deadline);
    let called = false;
    deadline.onExpiry(() => (called = true));
    expect(called).toBe(false);
    await Promise.resolve();
    expect(called).toBe(true);
  });

  test("calls only the last of those who wait, for they take turns", async () => {
    using deadline = start(SHORT_MS);
    const called: string[] = [];
    deadline.onExpiry(() => called.push("first"));
    deadline.onExpiry(() => called.push("second"));
    await waitFor(AFTER_MS);
    expect(called).toEqual(["second"]);
  });

  test("passes at once when it is told to, for the one who waits and for one who comes later", async () => {
    using deadline = start(LONG_MS);
    const called: string[] = [];
    deadline.onExpiry(() => called.push("first"));
    deadline.expire();
    expect(called).toEqual(["first"]);
    await expired(deadline);
    expect(deadline.remainingMs()).toBe(0);
  });

  test("lasts a little longer where this process did not run when it passed", async () => {
    using deadline = start(SHORT_MS);
    let fired = false;
    deadline.onExpiry(() => (fired = true));
    Bun.sleepSync(SHORT_MS * 4);
    await Bun.sleep(1);
    expect([fired, deadline.remainingMs() > 0]).toEqual([false, true]);
    await expired(deadline);
    expect(deadline.remainingMs()).toBe(0);
  });

  test("that is cleared does not fire", async () => {
    const deadline = new Deadline(SHORT_MS);
    let fired = false;
    deadline.onExpiry(() => (fired = true));
    deadline.clear();
    await waitFor(AFTER_MS);
    expect(fired).toBe(false);
  });
});

describe("a sleep", () => {
  test("ends after its time, where the deadline is far", async () => {
    using deadline = start(LONG_MS);
    await deadline.sleep(SHORT_MS);
    expect(deadline.elapsedMs()).toBeWithin(SHORT_MS - EARLY_MS, LONG_MS / 2);
  });

  test("ends with the deadline, where that is nearer", async () => {
    using deadline = start(SHORT_MS);
    await deadline.sleep(LONG_MS);
    expect(deadline.remainingMs()).toBe(0);
    expect(deadline.elapsedMs()).toBeLessThan(LONG_MS / 2);
  });

  test("ends at once, where the deadline has passed", async () => {
    using deadline = start(SHORT_MS);
    await expired(deadline);
    await deadline.sleep(LONG_MS);
    expect(deadline.elapsedMs()).toBeLessThan(LONG_MS / 2);
  });

  test("leaves nobody waiting for the deadline behind", async () => {
    using deadline = start(SHORT_MS * 2);
    await deadline.sleep(1);
    await expired(deadline);
    expect(deadline.remainingMs()).toBe(0);
  });
});

test("no timer holds a process that has cleared its deadline and ended its sleep early", async () => {
  const program = `
    import { Deadline } from ${JSON.stringify(`${import.meta.dir}/../../src/base/deadline.ts`)};
    const deadline = new Deadline(20);
    await deadline.sleep(600_000);
    new Deadline(600_000).clear();
  `;
  const child = Bun.spawn([process.execPath, "-e", program], { env: {} });
  expect(await child.exited).toBe(0);
});

/** A deadline that is cleared at the end of the test's block. */
function start(timeoutMs: number): Deadline & Disposable {
  const deadline = new Deadline(timeoutMs);
  return Object.assign(deadline, { [Symbol.dispose]: () => deadline.clear() });
}

function expired(deadline: Deadline): Promise<void> {
  return new Promise((resolve) => deadline.onExpiry(resolve));
}

/** Waits on another deadline than the one under test. */
async function waitFor(ms: number): Promise<void> {
  using other = start(ms);
  await expired(other);
}
