import { describe, expect, test } from "bun:test";
import {
  advanceSchedule,
  type AskEvent,
  createScheduler,
  firstSchedule,
  MAX_ASKING,
  MAX_BACK_OFF_MS,
  type Schedule,
} from "../../src/monitor/scheduler";
import { mulberry32 } from "../support/random-messages";
import { createVirtualClock } from "../support/virtual-clock";

const INTERVAL_MS = 30_000;
const MIDDLE = 0.5;

describe("one socket is asked", () => {
  test.each<readonly [string, readonly AskEvent[], number]>([
    ["again after the interval when it has answered", ["answer"], 30_000],
    ["never again when there is nothing more to ask", ["lastAnswer"], Infinity],
    ["after the interval when it has failed once", ["failure"], 30_000],
    ["after twice the interval when it has failed twice", ["failure", "failure"], 60_000],
    ["after at most 5 minutes", Array.from({ length: 12 }, () => "failure" as const), MAX_BACK_OFF_MS],
    ["after the interval when it answers after failures", ["failure", "failure", "failure", "answer"], 30_000],
    ["a second after it has closed the connection that was kept open", ["hang", "loss"], 1_000],
    ["with back-off when it does so again and again", ["hang", "loss", "hang", "loss"], 60_000],
    ["at once when a connection was kept open for long enough", ["hang", "expiry"], 0],
    ["not at all while its connection is kept open", ["hang"], Infinity],
    ["not before it is hurried when it was postponed", ["failure", "postponed"], Infinity],
  ])("%s", (_, events, delayMs) => {
    expect(dueIn(events, MIDDLE)).toBeCloseTo(delayMs, 6);
  });

  test("after at most ten intervals, where they are short", () => {
    const failures = Array.from({ length: 12 }, () => "failure" as const);
    expect(dueIn(failures, MIDDLE, 2_000)).toBeCloseTo(20_000, 6);
  });

  test("up to a tenth earlier or later", () => {
    expect(dueIn(["answer"], 0)).toBeCloseTo(27_000, 6);
    expect(dueIn(["answer"], 1)).toBeCloseTo(33_000, 6);
  });

  test("for the first time within a tenth of the interval", () => {
    expect(firstSchedule(1_000, INTERVAL_MS, 0).phase).toEqual({ kind: "waiting", dueMs: 1_000 });
    expect(firstSchedule(1_000, INTERVAL_MS, 1).phase).toEqual({ kind: "waiting", dueMs: 4_000 });
  });
});

/** How long after the last event it is asked again. */
function dueIn(events: readonly AskEvent[], random: number, intervalMs = INTERVAL_MS): number {
  const begun: Schedule = { phase: { kind: "asking" }, failures: 0 };
  const { phase } = events.reduce(
    (schedule, event) => advanceSchedule(schedule, event, { nowMs: 0, intervalMs, random }),
    begun,
  );
  return phase.kind === "waiting" ? phase.dueMs : Infinity;
}

const HOUR_MS = 3_600_000;

describe("whatever the drivers of a node do, for an hour", () => {
  test.each([1, 2, 3, 10, 60])("%d drivers", async (drivers) => {
    const faults: string[] = [];
    for (let seed = 1; seed <= 20; seed += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one course after the other
      faults.push(...(await simulate(drivers, seed)).map((fault) => `seed ${seed}: ${fault}`));
    }
    expect(faults).toEqual([]);
  });
});

/** A driver of the simulation: how it behaves changes at random times. */
interface Simulated {
  connections: number;
  /** When it was asked last, by when there was an end to it. */
  endedMs: number;
  behaviour: "answers" | "fails" | "hangs";
  /** Ends the hang. */
  free: (() => void) | undefined;
}

async function simulate(count: number, seed: number): Promise<readonly string[]> {
  const random = mulberry32(seed);
  const clock = createVirtualClock(() => random() * 20);
  const faults: string[] = [];
  const drivers = Array.from({ length: count }, (): Simulated => ({
    connections: 0,
    endedMs: 0,
    behaviour: "answers",
    free: undefined,
  }));
  let asking = 0;
  // Of those that are due together, each waits for its turn.
  const longestMs = 1.1 * MAX_BACK_OFF_MS + Math.ceil(count / MAX_ASKING) * 3_000 + 1_000;
  const scheduler = createScheduler<number>({
    clock,
    intervalMs: INTERVAL_MS,
    random,
    begin: (key) => {
      const driver = drivers[key];
      if (driver === undefined) return;
      asking += 1;
      if (clock.nowMs() - driver.endedMs > longestMs) faults.push(`driver ${key} was not asked for too long`);
      driver.connections += 1;
      if (asking > MAX_ASKING) faults.push(`${asking} are asked at a time`);
      if (driver.connections > 1) faults.push(`driver ${key} has ${driver.connections} connections`);
      const end = (event: AskEvent) => {
        driver.connections -= 1;
        driver.endedMs = clock.nowMs();
        scheduler.tell(key, event);
      };
      clock.after(driver.behaviour === "hangs" ? 3_000 : random() * 200, () => {
        asking -= 1;
        switch (driver.behaviour) {
          case "answers":
            return end("answer");
          case "fails":
            return end("failure");
          case "hangs":
            driver.free = () => {
              driver.free = undefined;
              end(random() < 0.5 ? "answer" : "loss");
            };
            return scheduler.tell(key, "hang");
        }
        return driver.behaviour satisfies never;
      });
    },
  });
  for (const key of drivers.keys()) scheduler.add(key);
  const change = (): void => {
    const driver = drivers[Math.floor(random() * count)];
    if (driver === undefined) return;
    driver.behaviour = (["answers", "fails", "hangs"] as const)[Math.floor(random() * 3)] ?? "answers";
    if (driver.behaviour !== "hangs") driver.free?.();
    clock.after(random() * 60_000, change);
  };
  for (let changes = 0; changes < Math.ceil(count / 10); changes += 1) change();
  await clock.advance(HOUR_MS);

  for (const [key, { connections, endedMs }] of drivers.entries())
    if (connections === 0 && HOUR_MS - endedMs > longestMs) faults.push(`driver ${key} was forgotten`);
  const held = drivers.filter(({ free }) => free !== undefined).length;
  if (scheduler.held() !== held) faults.push(`${scheduler.held()} are kept open, not ${held}`);
  scheduler.stop();
  return faults;
}

test("drivers that were found together are not asked in step after an hour", async () => {
  const random = mulberry32(7);
  const clock = createVirtualClock();
  const asked = new Map<number, number>();
  const scheduler = createScheduler<number>({
    clock,
    intervalMs: INTERVAL_MS,
    random,
    begin: (key) => {
      asked.set(key, clock.nowMs());
      clock.after(1, () => scheduler.tell(key, "answer"));
    },
  });
  for (let key = 0; key < 60; key += 1) scheduler.add(key);
  await clock.advance(HOUR_MS);
  scheduler.stop();
  const thirds = [...asked.values()].map((time) => Math.floor(((HOUR_MS - time) / INTERVAL_MS) * 3));
  for (const third of [0, 1, 2]) expect(thirds.filter((each) => each === third).length).toBeGreaterThan(8);
});

test("a socket that is hurried is asked at once, one that is removed never again", async () => {
  const clock = createVirtualClock();
  const begun: string[] = [];
  const scheduler = createScheduler<string>({
    clock,
    intervalMs: INTERVAL_MS,
    random: () => 1,
    begin: (key) => void begun.push(key),
  });
  scheduler.add("a");
  scheduler.add("b");
  scheduler.hurry("a");
  expect(begun).toEqual(["a"]);
  scheduler.remove("b");
  await clock.advance(HOUR_MS);
  expect(begun).toEqual(["a"]);
});
