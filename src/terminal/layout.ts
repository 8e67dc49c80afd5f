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
  return Bun.stringWidth(text) <= width ? text : `${prefixOf(text, width - 1)}…`;
}

/** Like `wrapWords`, but words that are too long are broken too, if possible after a separator. */
export function wrapToWidth(text: string, width: number): readonly string[] {
  return wrapWords(text, width).flatMap((line) => breakWord(line, width));
}

function breakWord(word: string, width: number): readonly string[] {
  if (Bun.stringWidth(word) <= width) return [word];
  const most = prefixOf(word, width);
  const atSeparator = most.search(/(?<=[/_,-])[^/_,-]*$/);
  const cut = atSeparator > most.length / 2 ? atSeparator : most.length;
  return [word.slice(0, cut), ...breakWord(word.slice(cut), width)];
}

/** Bun takes an ideograph too many where half of one would fit. */
function prefixOf(text: string, width: number): string {
  const prefix = Bun.sliceAnsi(text, 0, width);
  return Bun.stringWidth(prefix) <= width ? prefix : Bun.sliceAnsi(text, 0, width - 1);
}

/**
 * Breaks a text at spaces. A word longer than `width` stays whole on a line of its own: it may be a path that somebody
 * copies.
 */
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
