import type { InspectReport, InspectStep, StepOutcome } from "../report";
import { escapeUnprintable, oneLine } from "../text";
import { formatElapsed } from "./elapsed";
import { type Colour, padToWidth, paint, wrapWords } from "./layout";
import type { Style } from "./style";

/**
 * One driver in depth, for a person: a line or more for each step, with a mark, its title, what was seen and how long it took; a failed
 * one says what to do. Then the verdict, and last the command to paste, which is never broken. With a newline at its end.
 *
 * All that drivers and the kernel say is escaped.
 */
export function renderInspection({ socket, driver, steps, verdict, next }: InspectReport, style: Style): string {
  const longest = Math.max(0, ...steps.map(({ title }) => Bun.stringWidth(title)));
  const titleWidth = Math.min(longest, Math.floor((style.columns ?? Infinity) * TITLES_PART));
  const lines = [
    `socket  ${safe(socket)}`,
    ...(driver === undefined ? [] : [`driver  ${safe(driver)}`]),
    "",
    ...steps.flatMap((step) => stepLines(step, titleWidth, style)),
    "",
    ...wrapWords(safe(verdict), style.columns ?? Infinity),
    // Not cut: half a command is none.
    ...(next === undefined ? [] : ["", `  ${escapeUnprintable(next)}`]),
  ];
  return `${lines.join("\n")}\n`;
}

const MAX_TEXT_BYTES = 4_096;
const MARK_WIDTH = 6;
const GAP = "   ";
/** Of a terminal's width; the text of a longer title begins further right, or below it. */
const TITLES_PART = 0.2;
/** Below this, a narrow terminal folds lines by itself. */
const LEAST_TEXT_WIDTH = 24;

function stepLines(step: InspectStep, titleWidth: number, style: Style): readonly string[] {
  const { title, outcome } = step;
  const columns = style.columns ?? Infinity;
  const { mark, colour } = markOf(outcome);
  const painted = style.colour ? paint(mark, colour) : mark;
  const head = `${padToWidth(painted, MARK_WIDTH)}${padToWidth(title, titleWidth)}${GAP}`;
  const indent = " ".repeat(MARK_WIDTH + titleWidth + GAP.length);
  const wrap = (text: string): readonly string[] =>
    wrapWords(text, Math.max(LEAST_TEXT_WIDTH, columns - indent.length));
  const text = textOf(step);
  const below = Bun.stringWidth(title) > titleWidth && Bun.stringWidth(head + text) > columns;
  const [first = "", ...more] = below ? ["", ...wrap(text)] : wrap(text);
  const remedy =
    outcome.kind === "failed" && outcome.remedy !== undefined ? wrap(`to do: ${safe(outcome.remedy)}`) : [];
  return [`${head}${first}`.trimEnd(), ...[...more, ...remedy].map((line) => indent + line)];
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

interface Mark {
  readonly mark: string;
  readonly colour: Colour;
}

function markOf({ kind }: StepOutcome): Mark {
  switch (kind) {
    case "passed":
      return { mark: "ok", colour: "green" };
    case "failed":
      return { mark: "FAIL", colour: "red" };
    case "absent":
    case "notPermitted":
    case "notReached":
      return { mark: "-", colour: "dim" };
  }
  return kind satisfies never;
}

function safe(text: string): string {
  return oneLine(text, MAX_TEXT_BYTES);
}
