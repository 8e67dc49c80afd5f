/** Text that Go's `strconv.Quote` leaves as it is: the quick way for nearly everything we quote. */
const PLAIN = /^[ !#-[\]-~]*$/;
/** What is not printable by Go's `unicode.IsPrint`, lone surrogates included. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const UNPRINTABLE_IN_LINES = /[^\p{L}\p{M}\p{N}\p{P}\p{S} \n]/gu;
/** In its group what we make for a terminal: the colours of `terminal/layout.ts`, and the carriage returns around a progress line. */
// oxlint-disable-next-line no-control-regex -- ESC begins a colour
const UNPRINTABLE_IN_TERMINAL = /(\u001b\[(?:2|22|31|32|33|39)m|^\r|\r$)|[^\p{L}\p{M}\p{N}\p{P}\p{S} \n]/gu;
const UNPRINTABLE_OR_QUOTE = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

const ELLIPSIS = "…";
const ELLIPSIS_BYTES = 3;

const NAMED: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/**
 * Quotes as Go's `strconv.Quote` does. A lone surrogate, which Go strings cannot hold, becomes `\ufffd`.
 *
 * Printable is what this runtime's Unicode version says, which is newer than Go's: a character that Go escapes because it
 * does not know it yet may stay.
 */
export function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : `"${text.replace(UNPRINTABLE_OR_QUOTE, escapeCharacter)}"`;
}

/** Escapes what `quote` would escape, but leaves `"` and `\` alone. The result has one line and cannot steer a terminal. */
export function escapeUnprintable(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNPRINTABLE, escapeCharacter);
}

/**
 * Escapes what is written for a person, in lines: as `escapeUnprintable`, but for line feeds. Everything that a command writes goes
 * through here, so a message may hold the name of a file, or what a driver said, as it is.
 *
 * @param isTerminal whether colours and a progress line are left as they are
 */
export function escapeLines(text: string, isTerminal: boolean): string {
  if (!isTerminal) return text.replace(UNPRINTABLE_IN_LINES, escapeCharacter);
  return text.replace(UNPRINTABLE_IN_TERMINAL, (found, ours: string | undefined) => ours ?? escapeCharacter(found));
}

/**
 * Makes what a driver said fit for one line of a log, an HTTP body or a terminal: escaped as by `escapeUnprintable`, and
 * where that is too long, cut with `…` at its end.
 *
 * Never cut within a character or an escape, and never more work than `maxBytes` asks for: a driver may say 64 KiB.
 *
 * @param maxBytes the most UTF-8 bytes of the result, `…` included; where not even that fits, the result is empty
 */
export function oneLine(text: string, maxBytes: number): string {
  let line = "";
  let bytes = 0;
  let lengthBeforeEllipsis = 0;
  for (const character of text) {
    const piece = escapeUnprintable(character);
    bytes += Buffer.byteLength(piece);
    if (bytes > maxBytes) return maxBytes < ELLIPSIS_BYTES ? "" : line.slice(0, lengthBeforeEllipsis) + ELLIPSIS;
    line += piece;
    if (bytes <= maxBytes - ELLIPSIS_BYTES) lengthBeforeEllipsis = line.length;
  }
  return line;
}

/**
 * JSON on one line, in which characters that are not printable are escaped (to the same meaning), so that it cannot steer a
 * terminal either. Lone surrogates become U+FFFD: parsers in other languages refuse them.
 */
export function jsonText(value: object | null): string {
  const json = JSON.stringify(value, (_, inner: unknown) => (typeof inner === "string" ? inner.toWellFormed() : inner));
  return json.replace(UNPRINTABLE, escapeForJson);
}

function escapeCharacter(character: string): string {
  const named = NAMED[character];
  if (named !== undefined) return named;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  if (code >= 0xd800 && code <= 0xdfff) return "\\ufffd";
  return code < 0x1_0000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function escapeForJson(character: string): string {
  return Array.from({ length: character.length }, (_, index) => `\\u${hex(character.charCodeAt(index), 4)}`).join("");
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
