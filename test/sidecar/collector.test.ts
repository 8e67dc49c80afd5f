import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { COLLECTION_DELAY_MS, createCollector, PROBES_PER_COLLECTION } from "../../src/sidecar/collector";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test.each([
  ["few probes make nothing worth collecting", PROBES_PER_COLLECTION - 1, 0],
  ["a hundred probes do", PROBES_PER_COLLECTION, 1],
  ["a burst of probes is collected once", 25 * PROBES_PER_COLLECTION, 1],
])("%s", (_, probes, collections) => {
  const { probeEnded, collected } = stageStarted();
  for (let probe = 0; probe < probes; probe += 1) probeEnded();
  expect(collected()).toBe(0);
  jest.advanceTimersByTime(COLLECTION_DELAY_MS);
  expect(collected()).toBe(collections);
});

test("it collects again after the next hundred", () => {
  const { probeEnded, collected } = stageStarted();
  for (let round = 1; round <= 3; round += 1) {
    for (let probe = 0; probe < PROBES_PER_COLLECTION; probe += 1) probeEnded();
    jest.advanceTimersByTime(COLLECTION_DELAY_MS);
    expect(collected()).toBe(round);
  }
});

test("it collects once what the start has left, and not the probes of that time again", () => {
  const { probeEnded, collected } = stage();
  for (let probe = 0; probe < PROBES_PER_COLLECTION; probe += 1) probeEnded();
  expect(collected()).toBe(0);
  jest.advanceTimersByTime(COLLECTION_DELAY_MS);
  expect(collected()).toBe(1);
  jest.advanceTimersByTime(10 * COLLECTION_DELAY_MS);
  expect(collected()).toBe(1);
});

/** After what the start has left is collected. */
function stageStarted() {
  const { probeEnded, collected } = stage();
  jest.advanceTimersByTime(COLLECTION_DELAY_MS);
  return { probeEnded, collected: () => collected() - 1 };
}

function stage() {
  let count = 0;
  return { probeEnded: createCollector(() => (count += 1)), collected: () => count };
}
