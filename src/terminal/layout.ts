import { styleText } from "node:util";
import { formatDuration } from "../base/duration";

/** What a colour says, not more: words stay words without it. */
export type Colour = "green" | "yellow" | "red" | "dim" | "none";

/** The text in a colour, as SGR sequences; the reset after it is that of the colour alone. */
export function paint(text: string, colour: Colour): string {
  // Whether there are colours is decided already: the streams of this process are not asked again.
  return colour === "none" ? text : styleText(colour, text, { validateStream: false });
}

/** Fills up with spaces to a width in columns: ideographs and emoji take two, and the sequences of a colour none. */
export function padToWidth(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - Bun.stringWidth(text)));
}

/** Cuts to a width in columns, with `…` at the end where something is missing. */
export function cutToWidth(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  return `${longestPrefix(text, width - 1)}…`;
}

/** As `wrapWords`, but no line is longer: a longer word is broken too, after a separator where there is one in its second half. */
export function wrapToWidth(text: string, width: number): readonly string[] {
  return wrapWords(text, width).flatMap((line) => breakWord(line, width));
}

function breakWord(word: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = word;
  while (Bun.stringWidth(rest) > width) {
    const most = longestPrefix(rest, width);
    const atSeparator = most.search(/(?<=[/_,-])[^/_,-]*$/);
    const cut = atSeparator > most.length / 2 ? atSeparator : most.length;
    lines.push(rest.slice(0, cut));
    rest = rest.slice(cut);
  }
  return [...lines, rest];
}

/** At least one character. Bun.sliceAnsi takes an ideograph too many where half of one would fit. */
function longestPrefix(text: string, width: number): string {
  let prefix = "";
  for (const character of text) {
    if (prefix !== "" && Bun.stringWidth(prefix + character) > width) break;
    prefix += character;
  }
  return prefix;
}

/**
 * Breaks a text at its spaces into lines of at most `width` columns.
 *
 * A longer word keeps a line to itself and is never broken: it may be a path that somebody copies, and terminals fold long lines
 * such that it stays in one piece.
 */
export function wrapWords(text: string, width: number): readonly string[] {
  if (Bun.stringWidth(text) <= width) return [text.trimEnd()];
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(" ")) {
    if (line === undefined) {
      // Spaces at a break are gone: an empty word is what lies between two of them.
      line = word === "" && lines.length > 0 ? undefined : word;
    } else if (Bun.stringWidth(line) + 1 + Bun.stringWidth(word) <= width) {
      line += ` ${word}`;
    } else {
      lines.push(line.trimEnd());
      line = word === "" ? undefined : word;
    }
  }
  return line === undefined ? lines : [...lines, line.trimEnd()];
}

/** A measured time as a person reads it, in Go's form and no finer than it means something: `213µs`, `1.2ms`, `3.01s`. */
export function formatElapsed(ms: number): string {
  return formatDuration(ms < 1 ? rounded(ms, 1_000) : ms < 1_000 ? rounded(ms, 10) : rounded(ms, 0.1));
}

/** Milliseconds as JSON has them: to a tenth. */
export function tenths(ms: number): number {
  return rounded(ms, 10);
}

function rounded(ms: number, partsPerMs: number): number {
  return Math.round(ms * partsPerMs) / partsPerMs;
}
