import { describe, expect, test } from "bun:test";
import type { ProbeResult } from "../../src/driver/probe";
import { createProber, MAX_IN_FLIGHT, SLACK_MS } from "../../src/sidecar/prober";
import { createVirtualClock, settled } from "../support/virtual-clock";

const TIMEOUT_MS = 3_000;
const SPACING_MS = TIMEOUT_MS / MAX_IN_FLIGHT;

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
  const clock = createVirtualClock();
  const prober = createProber({
    timeoutMs: TIMEOUT_MS,
    clock,
    probeOnce: () => new Promise((resolve) => flights.push(resolve)),
    onResult: (result, begun) => recorded.push({ result, begun }),
  });
  return {
    prober,
    recorded,
    pass: clock.advance,
    begun: () => flights.length,
    end: async (index: number, result: ProbeResult) => {
      flights[index]?.(result);
      await settled();
    },
  };
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

  test("has a probe of its own begin beside a slow one, a third of the timeout later", async () => {
    const { prober, begun, end, pass } = stage();
    const first = prober.probe();
    const late = prober.probe();
    await pass(SPACING_MS - 1);
    expect(begun()).toBe(1);
    await pass(1);
    expect(begun()).toBe(2);
    await end(1, READY);
    expect({ first: await stateOf(first), late: await stateOf(late) }).toEqual({ first: READY, late: READY });
  });

  test("has one begin at once where those in flight began long ago", async () => {
    const { prober, begun, pass } = stage();
    void prober.probe();
    await pass(SPACING_MS);
    void prober.probe();
    expect(begun()).toBe(2);
  });

  test("has one begin at once when the latest in flight has failed and the others began long ago", async () => {
    const { prober, begun, end, pass } = stage();
    void prober.probe();
    await pass(SPACING_MS);
    void prober.probe();
    void prober.probe();
    await end(1, CLOSED);
    expect(begun()).toBe(3);
  });
});

test("500 callers of a driver that hangs cost it one probe beside the first, and each is told of one begun after it asked", async () => {
  const { prober, begun, end, pass } = stage();
  const callers = Array.from({ length: 500 }, () => prober.probe());
  await pass(SPACING_MS);
  await end(0, HUNG);
  expect(await stateOf(callers[0] ?? Promise.resolve(READY))).toEqual(HUNG);
  expect(await stateOf(callers[1] ?? Promise.resolve(READY))).toBe("waiting");
  await end(1, HUNG);
  expect(await Promise.all(callers)).toEqual(Array.from({ length: 500 }, () => HUNG));
  expect(begun()).toBe(2);
});

test("callers who come while three probes are in flight wait for a fourth, which begins when one of them ends", async () => {
  const { prober, begun, end, pass } = stage();
  for (let probe = 0; probe < MAX_IN_FLIGHT; probe += 1) {
    void prober.probe();
    // oxlint-disable-next-line no-await-in-loop -- one probe after the other
    await pass(SPACING_MS);
  }
  const fourth = prober.probe();
  expect(begun()).toBe(3);
  await end(0, HUNG);
  expect(begun()).toBe(4);
  await end(1, HUNG);
  await end(2, HUNG);
  expect(await stateOf(fourth)).toBe("waiting");
  await end(3, NOT_READY);
  expect(await stateOf(fourth)).toEqual(NOT_READY);
});

describe("a caller whose own probe takes too long", () => {
  test("is told of the latest one that has failed since, when the timeout and the slack are over", async () => {
    const { prober, end, pass } = stage();
    void prober.probe();
    await pass(1);
    const late = prober.probe();
    await pass(TIMEOUT_MS - 1);
    await end(0, HUNG);
    await pass(SLACK_MS);
    expect(await stateOf(late)).toBe("waiting");
    await pass(1);
    expect(await stateOf(late)).toEqual(HUNG);
  });

  test("is told by no timer of nothing: where none has ended since, it waits for the first that does", async () => {
    const { prober, end, pass } = stage();
    void prober.probe();
    const late = prober.probe();
    await pass(10 * TIMEOUT_MS);
    expect(await stateOf(late)).toBe("waiting");
    await end(0, HUNG);
    expect(await stateOf(late)).toEqual(HUNG);
  });
});

test("each probe's result is recorded with the order in which it began", async () => {
  const { prober, recorded, end, pass } = stage();
  void prober.probe();
  void prober.probe();
  await pass(SPACING_MS);
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

test("it is idle also where a probe began in the place of one that ended", async () => {
  const { prober, end } = stage();
  void prober.probe();
  void prober.probe();
  const idle = prober.idle().then(() => READY);
  await end(0, HUNG);
  expect(await stateOf(idle)).toBe("waiting");
  expect(prober.isProbing()).toBe(true);
  await end(1, HUNG);
  expect(await stateOf(idle)).toEqual(READY);
  expect(prober.isProbing()).toBe(false);
});
