import { styleText } from "node:util";
import { formatDuration } from "../base/duration";

/** Colours only repeat what the words say. */
export type Colour = "green" | "yellow" | "red" | "dim" | "none";

/** The text between SGR sequences for a colour. */
export function paint(text: string, colour: Colour): string {
  // Whether to use colours is decided already.
  return colour === "none" ? text : styleText(colour, text, { validateStream: false });
}

/** Pads with spaces to a width in columns. Ideographs and emoji take two columns, colours none. */
export function padToWidth(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - Bun.stringWidth(text)));
}

/** Cuts to a width in columns; a text that was cut ends with `…`. */
export function cutToWidth(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  return `${longestPrefix(text, width - 1)}…`;
}

/** Like `wrapWords`, but words that are too long are broken too, if possible after a separator. */
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

/** Breaks a text at spaces. A word longer than `width` stays whole on a line of its own: it may be a path that somebody copies. */
export function wrapWords(text: string, width: number): readonly string[] {
  return Bun.wrapAnsi(text, width).split("\n");
}

/** A measured time in Go's form, rounded for a person: `213µs`, `1.2ms`, `3.01s`. */
export function formatElapsed(ms: number): string {
  return formatDuration(ms < 1 ? rounded(ms, 1_000) : ms < 1_000 ? rounded(ms, 10) : rounded(ms, 0.1));
}

/** Milliseconds for JSON: to a tenth. */
export function tenths(ms: number): number {
  return rounded(ms, 10);
}

function rounded(ms: number, partsPerMs: number): number {
  return Math.round(ms * partsPerMs) / partsPerMs;
}
