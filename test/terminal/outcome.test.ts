import { expect, test } from "bun:test";
import type { DriverOutcome } from "../../src/inspection/report";
import { stateColour, stateText } from "../../src/terminal/outcome";

test.each<readonly [string, DriverOutcome, string]>([
  ["ready", { kind: "ready" }, "green"],
  ["notReady", { kind: "notReady" }, "yellow"],
  ["failed: nobody_listens", { kind: "failed", reason: "nobody_listens", message: "m" }, "red"],
  ["notCsi", { kind: "notCsi", what: "DRAPlugin" }, "dim"],
])("%s", (text, outcome, colour) => {
  expect([stateText(outcome), stateColour(outcome)]).toEqual([text, colour]);
});
