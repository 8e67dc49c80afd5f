import type { InspectReport, InspectStep } from "../report";
import { outcomeMembers, renderDocument } from "./document";
import { tenths } from "./elapsed";

/** One driver in depth as a JSON document of the kind `DriverInspection`. */
export function renderInspectionJson({ socket, driver, outcome, steps, verdict, next }: InspectReport): string {
  return renderDocument("DriverInspection", {
    socket,
    driver,
    ...outcomeMembers(outcome),
    verdict,
    next,
    steps: steps.map(stepMembers),
  });
}

function stepMembers({ title, outcome, elapsedMs }: InspectStep): object {
  const { kind, ...members } = outcome;
  return { title, outcome: kind, ...members, elapsedMs: elapsedMs === undefined ? undefined : tenths(elapsedMs) };
}
