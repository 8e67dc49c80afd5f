import type { InspectReport, InspectStep, StepOutcome } from "../inspection/report";
import { escapeUnprintable, oneLine } from "../base/text";
import { type Colour, formatElapsed, padToWidth, paint, wrapToWidth, wrapWords } from "./layout";
import type { Style } from "./style";

/**
 * One driver for a person, with a newline at its end: for each step a mark, its title, what was seen and how long it
 * took; if it failed, what to do, and a command to paste. Then the verdict, and the next command unless a step has it.
 *
 * Everything is escaped. Only commands may be wider than the terminal, because they are never broken.
 */
export function renderInspection({ socket, driver, steps, verdict, next }: InspectReport, style: Style): string {
  const titleWidth = titleWidthOf(steps, style);
  const isSaid = steps.some(({ outcome }) => outcome.kind === "failed" && outcome.command === next);
  const lines = [
    `socket  ${safe(socket)}`,
    ...(driver === undefined ? [] : [`driver  ${safe(driver)}`]),
    "",
    ...steps.flatMap((step) => stepLines(step, titleWidth, style)),
    "",
    ...wrapWords(safe(verdict), style.columns ?? Infinity),
    ...(next === undefined || isSaid ? [] : ["", `  ${escapeUnprintable(next)}`]),
  ];
  return `${lines.join("\n")}\n`;
}

const MAX_TEXT_BYTES = 4_096;
const MARK_WIDTH = 6;
const GAP = "   ";
/** The share of titles in a narrow terminal; the text of a longer title is below it. */
const TITLES_PART = 0.2;
/** What the titles leave in a terminal that is not narrow. */
const TEXT_WIDTH = 40;
/** In a narrower terminal, lines are left to be folded. */
const LEAST_TEXT_WIDTH = 24;

function titleWidthOf(steps: readonly InspectStep[], { columns = Infinity }: Style): number {
  const longest = Math.max(0, ...steps.map(({ title }) => Bun.stringWidth(title)));
  const isNarrow = columns - MARK_WIDTH - longest - GAP.length < TEXT_WIDTH;
  return isNarrow ? Math.min(longest, Math.floor(columns * TITLES_PART)) : longest;
}

function stepLines(step: InspectStep, titleWidth: number, style: Style): readonly string[] {
  const { title, outcome } = step;
  const { mark, colour } = MARKS[outcome.kind];
  const painted = style.colour ? paint(mark, colour) : mark;
  const head = `${padToWidth(painted, MARK_WIDTH)}${padToWidth(title, titleWidth)}${GAP}`;
  const indent = " ".repeat(MARK_WIDTH + titleWidth + GAP.length);
  const width = Math.max(LEAST_TEXT_WIDTH, (style.columns ?? Infinity) - indent.length);
  const text = wrapToWidth(textOf(step), width);
  const [first = "", ...more] = Bun.stringWidth(title) > titleWidth ? ["", ...text] : text;
  const below = [...more, ...remedyLines(outcome, width)].map((line) => indent + line);
  return [`${head}${first}`.trimEnd(), ...below, ...commandLines(outcome, indent, width)];
}

function remedyLines(outcome: StepOutcome, width: number): readonly string[] {
  if (outcome.kind !== "failed" || outcome.remedy === undefined) return [];
  const colon = outcome.command === undefined ? "" : ":";
  return wrapToWidth(safe(`to do: ${outcome.remedy}${colon}`), width);
}

/** On a line of its own, which is never broken, and further left if it is long. */
function commandLines(outcome: StepOutcome, indent: string, width: number): readonly string[] {
  if (outcome.kind !== "failed" || outcome.command === undefined) return [];
  const command = escapeUnprintable(outcome.command);
  return [Bun.stringWidth(command) <= width ? indent + command : `  ${command}`];
}

function textOf({ outcome, elapsedMs }: InspectStep): string {
  const time = elapsedMs === undefined ? "" : `(${formatElapsed(elapsedMs)})`;
  return `${safe(saidOf(outcome))} ${time}`.trim();
}

function saidOf(outcome: StepOutcome): string {
  switch (outcome.kind) {
    case "passed":
    case "failed":
    case "absent":
      return outcome.details.join(", ");
    case "notPermitted":
      return `not permitted: needs ${outcome.needs}`;
    case "notReached":
      return "not reached";
  }
  return outcome satisfies never;
}

const UNKNOWN = { mark: "-", colour: "dim" } as const;

const MARKS: Readonly<Record<StepOutcome["kind"], { readonly mark: string; readonly colour: Colour }>> = {
  passed: { mark: "ok", colour: "green" },
  failed: { mark: "FAIL", colour: "red" },
  absent: UNKNOWN,
  notPermitted: UNKNOWN,
  notReached: UNKNOWN,
};

function safe(text: string): string {
  return oneLine(text, MAX_TEXT_BYTES);
}
