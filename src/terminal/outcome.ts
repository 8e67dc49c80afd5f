import type { DriverOutcome } from "../inspection/report";
import type { Colour } from "./layout";

/** The state in one or two words, for a table: `ready`, `failed: hung`. */
export function stateText(outcome: DriverOutcome): string {
  return outcome.kind === "failed" ? `failed: ${outcome.reason}` : outcome.kind;
}

export function stateColour({ kind }: DriverOutcome): Colour {
  switch (kind) {
    case "ready":
      return "green";
    case "notReady":
      return "yellow";
    case "failed":
      return "red";
    case "notAsked":
      return "yellow";
    case "notCsi":
      return "dim";
  }
  return kind satisfies never;
}
