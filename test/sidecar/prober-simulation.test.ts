import { expect, test } from "bun:test";
import { MAX_IN_FLIGHT, SHORTEST_SPACING_MS, SLACK_MS } from "../../src/sidecar/prober";
import type { Phase } from "../support/simulated-driver";
import { type Course, happen, makeScenario, type Scenario } from "../support/sharing-scenario";

const SCENARIOS_PER_TIMEOUT = 1_000;

// The first seven have room for three probes, one after another, in the timeout and the slack; the others have not.
test.each([
  ["1ms", 1],
  ["10ms", 10],
  ["99ms", 99],
  ["250ms", 250],
  ["300ms", 300],
  ["1s", 1_000],
  ["2.7s", 2_700],
  ["3s", 3_000],
  ["10s", 10_000],
  ["1m", 60_000],
  ["30h", 108_000_000],
])("whatever a driver and its callers do, the rule of sharing holds with a timeout of %s", async (_, timeoutMs) => {
  const broken: string[] = [];
  for (let seed = 1; seed <= SCENARIOS_PER_TIMEOUT; seed += 1) {
    const scenario = makeScenario(seed, timeoutMs);
    // oxlint-disable-next-line no-await-in-loop -- one scenario after the other
    const course = await happen(scenario);
    broken.push(...faults(scenario, course).map((fault) => `seed ${seed}: ${fault}`));
  }
  expect(broken).toEqual([]);
});

/** How a course breaks the rule, in words. */
function faults(
  { timeoutMs, phases, latenessMs }: Scenario,
  { callers, probes, mostInFlight }: Course,
): readonly string[] {
  // A third of the timeout apart, three probes leave no gap longer than this; lateness adds up over a few timers.
  const spacingMs = Math.max(SHORTEST_SPACING_MS, timeoutMs / MAX_IN_FLIGHT);
  const tolerance = 4 * latenessMs + 1;
  const oldestMs = Math.max(0, spacingMs - SLACK_MS) + tolerance;
  const found: string[] = [];
  if (mostInFlight > MAX_IN_FLIGHT) found.push(`${mostInFlight} probes at a time`);
  for (const { askedMs, toldMs, probe } of callers) {
    const who = `who asked at ${askedMs} was told at ${toldMs}`;
    if (toldMs - askedMs > timeoutMs + Math.min(spacingMs, SLACK_MS) + tolerance) found.push(`${who}, too late`);
    if (probe === undefined || probe.endMs < askedMs) found.push(`${who} of no probe that ended since`);
    else if (!probe.answered) {
      if (probe.beganMs < askedMs - oldestMs) found.push(`${who} of a failure that began at ${probe.beganMs}`);
      if (answersAll(phases, askedMs, toldMs, timeoutMs - oldestMs))
        found.push(`${who} that a driver fails which answers all the while`);
    }
    const word = probes.find(({ answered, endMs }) => answered && endMs > askedMs && endMs < toldMs);
    if (word !== undefined) found.push(`${who}, and not what the driver said at ${word.endMs}`);
  }
  return found;
}

/** Whether a driver would have answered any probe that began in a time, within `withinMs`. */
function answersAll(phases: readonly Phase[], fromMs: number, toMs: number, withinMs: number): boolean {
  return phases
    .filter(({ fromMs: startMs }, index) => startMs <= toMs && (phases[index + 1]?.fromMs ?? Infinity) > fromMs)
    .every(({ behaviour }) => behaviour.kind === "answers" && behaviour.afterMs < withinMs);
}
