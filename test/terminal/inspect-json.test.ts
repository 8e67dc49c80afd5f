import { expect, test } from "bun:test";
import { renderInspectionJson } from "../../src/terminal/inspect-json";
import { golden } from "../support/golden";
import { HOSTILE_INSPECTION, STOPPED_INSPECTION } from "../support/sample-reports";

test("an inspection is the golden document", () => {
  const json = renderInspectionJson(STOPPED_INSPECTION);
  expect(json).toBe(golden(new URL("inspect-json.golden.txt", import.meta.url), json));
});

test("what a hostile driver says is there to the letter, and cannot steer a terminal", () => {
  const json = renderInspectionJson(HOSTILE_INSPECTION);
  expect(json.replaceAll("\n", "")).not.toMatch(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  expect(JSON.parse(json)).toMatchObject({ driver: HOSTILE_INSPECTION.driver, verdict: HOSTILE_INSPECTION.verdict });
});
