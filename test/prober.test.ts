import { describe, expect, test } from "bun:test";
import type { ProbeResult } from "../src/probe-result";
import { createProber, MAX_IN_FLIGHT } from "../src/prober";
import { waitUntil } from "./support/wait";

const READY: ProbeResult = { kind: "ready", timing: { elapsedMs: 1 } };
const NOT_READY: ProbeResult = { kind: "notReady", timing: { elapsedMs: 1 } };
const HUNG: ProbeResult = { kind: "failed", reason: "hung", message: "hung", timing: { elapsedMs: 3_000 } };
const MISSING: ProbeResult = {
  kind: "failed",
  reason: "socket_missing",
  message: "gone",
  timing: { elapsedMs: 3_000 },
};
const CLOSED: ProbeResult = { kind: "failed", reason: "closed", message: "closed", timing: { elapsedMs: 1 } };
const SHORT_OF_FDS: ProbeResult = { kind: "failed", reason: "internal", message: "EMFILE", timing: { elapsedMs: 1 } };

function rpcError(statusCode: number): ProbeResult {
  const timing = { elapsedMs: 1, connectMs: 1, rpc: { durationMs: 1, statusCode } };
  return { kind: "failed", reason: "rpc_error", message: `code ${statusCode}`, timing };
}

/** A prober over probes that end when the test says so. */
function stage() {
  const flights: ((result: ProbeResult) => void)[] = [];
  const recorded: { result: ProbeResult; begun: number }[] = [];
  const prober = createProber({
    probeOnce: () => new Promise((resolve) => flights.push(resolve)),
    onResult: (result, begun) => recorded.push({ result, begun }),
  });
  return {
    prober,
    recorded,
    begun: () => flights.length,
    end: async (index: number, result: ProbeResult) => {
      flights[index]?.(result);
      await settled();
    },
  };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

async function stateOf(promise: Promise<ProbeResult>): Promise<ProbeResult | "waiting"> {
  await settled();
  return Promise.race([promise, Promise.resolve("waiting" as const)]);
}

describe("a caller who comes while a probe is in flight", () => {
  test.each([
    ["takes its result when the driver is ready", READY],
    ["takes its result when the driver says it is not ready", NOT_READY],
    ["takes a status that the driver has just sent", rpcError(13)],
  ])("%s", async (_, result) => {
    const { prober, begun, end } = stage();
    const first = prober.probe();
    const late = prober.probe();
    await end(0, result);
    expect({ first: await stateOf(first), late: await stateOf(late), begun: begun() }).toEqual({
      first: result,
      late: result,
      begun: 1,
    });
  });

  test.each([
    ["is not told that the earlier probe timed out", HUNG],
    ["is not told that the earlier probe found no socket", MISSING],
    ["is not told that the earlier probe's connection was closed", CLOSED],
    ["is not told that there was no descriptor for the earlier probe", SHORT_OF_FDS],
    ["is not told that the driver gave up at the earlier probe's deadline", rpcError(4)],
    ["is not told that the driver saw the earlier probe canceled", rpcError(1)],
  ])("%s, and gets the next one's result", async (_, result) => {
    const { prober, begun, end } = stage();
    const first = prober.probe();
    const late = prober.probe();
    await end(0, result);
    expect({ first: await stateOf(first), late: await stateOf(late), begun: begun() }).toEqual({
      first: result,
      late: "waiting",
      begun: 2,
    });
    await end(1, READY);
    expect(await stateOf(late)).toEqual(READY);
  });

  test("has a probe of its own begin beside a slow one, whose failure it need not wait for", async () => {
    const { prober, begun, end } = stage();
    const first = prober.probe();
    const late = prober.probe();
    expect(begun()).toBe(1);
    await waitUntil(() => begun() === 2, "a second probe beside the first");
    await end(1, READY);
    expect({ first: await stateOf(first), late: await stateOf(late) }).toEqual({ first: READY, late: READY });
  });
});

test("500 callers of a driver that hangs cost it two connections at a time, and each is told only of a probe begun after it asked", async () => {
  const { prober, begun, end } = stage();
  const callers = Array.from({ length: 500 }, () => prober.probe());
  await waitUntil(() => begun() === MAX_IN_FLIGHT, "a second probe beside the first");
  await end(0, HUNG);
  expect(await stateOf(callers[0] ?? Promise.resolve(READY))).toEqual(HUNG);
  expect(await stateOf(callers[1] ?? Promise.resolve(READY))).toBe("waiting");
  await end(1, HUNG);
  expect(await Promise.all(callers)).toEqual(Array.from({ length: 500 }, () => HUNG));
  expect(begun()).toBe(2);
});

test("callers who come during both probes in flight wait for a third, which begins when one of them ends", async () => {
  const { prober, begun, end } = stage();
  void prober.probe();
  void prober.probe();
  await waitUntil(() => begun() === 2, "a second probe beside the first");
  const third = prober.probe();
  await end(0, HUNG);
  expect(begun()).toBe(3);
  await end(1, HUNG);
  expect(await stateOf(third)).toBe("waiting");
  await end(2, NOT_READY);
  expect(await stateOf(third)).toEqual(NOT_READY);
});

test("each probe's result is recorded with the order in which it began", async () => {
  const { prober, recorded, begun, end } = stage();
  void prober.probe();
  void prober.probe();
  await waitUntil(() => begun() === 2, "a second probe beside the first");
  await end(1, READY);
  await end(0, HUNG);
  expect(recorded.map(({ result }) => result.kind)).toEqual(["ready", "failed"]);
  expect(recorded[0]?.begun).toBeGreaterThan(recorded[1]?.begun ?? Infinity);
});

test("it is idle only when the last probe has ended", async () => {
  const { prober, end } = stage();
  void prober.probe();
  const idle = prober.idle().then(() => READY);
  expect(await stateOf(idle)).toBe("waiting");
  await end(0, HUNG);
  expect(await stateOf(idle)).toEqual(READY);
  await prober.idle();
});
