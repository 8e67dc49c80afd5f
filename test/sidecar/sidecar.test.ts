import { expect, test } from "bun:test";
import type { ProbeResult } from "../../src/driver/probe";
import { createRecorder } from "../../src/sidecar/sidecar";

const timing = { elapsedMs: 1 };
const READY: ProbeResult = { kind: "ready", timing };
const NOT_READY: ProbeResult = { kind: "notReady", timing };
const HUNG: ProbeResult = { kind: "failed", reason: "hung", message: "hung", timing };
const STATUS: ProbeResult = { kind: "failed", reason: "rpc_error", message: "rpc error", timing };

test.each<[string, readonly ProbeResult[], number]>([
  ["the first probe, for it may have come up since it was asked for its name", [READY], 1],
  ["the first probe, though it is not ready", [NOT_READY], 1],
  ["with a status", [STATUS], 1],
  ["one probe after another: once", [READY, READY, NOT_READY], 1],
  ["again after a probe that it did not answer", [READY, HUNG, HUNG, READY], 2],
  ["none", [HUNG, HUNG], 0],
])("a driver is asked for its name when it answers %s", (_, results, times) => {
  let asked = 0;
  const record = createRecorder({
    metrics: { countProbe: () => {}, countRpc: () => {} },
    history: { record: () => {} },
    driverName: { driverAnswered: () => void (asked += 1) },
    collector: { probeEnded: () => {} },
  });
  for (const [index, result] of results.entries()) record(result, index + 1);
  expect(asked).toBe(times);
});
