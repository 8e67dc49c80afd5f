/** Text that Go's `strconv.Quote` does not change: the fast path. */
const PLAIN = /^[ !#-[\]-~]*$/;
/** What is not printable by Go's `unicode.IsPrint`, lone surrogates included. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const UNPRINTABLE_IN_LINES = /[^\p{L}\p{M}\p{N}\p{P}\p{S} \n]/gu;
/**
 * The group is our own: the colours of `terminal/layout.ts`, the carriage returns around a progress line, and what
 * begins and ends a frame of `terminal/live.ts`.
 */
const UNPRINTABLE_IN_TERMINAL =
  // oxlint-disable-next-line no-control-regex -- ESC begins a colour
  /(\u001b\[(?:2|22|31|32|33|39)m|^\r|\r$|^\u001b\[\?2026h(?:\u001b\[\?7l)?\r(?:\u001b\[\d+A)?\u001b\[J|\u001b\[\?7h\u001b\[\?2026l$)|[^\p{L}\p{M}\p{N}\p{P}\p{S} \n]/gu;
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
 * This runtime's Unicode version is newer than Go's, so a new character that Go escapes may stay.
 */
export function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : `"${text.replace(UNPRINTABLE_OR_QUOTE, escapeCharacter)}"`;
}

/** Escapes what `quote` escapes, except `"` and `\`. The result is one line and cannot control a terminal. */
export function escapeUnprintable(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNPRINTABLE, escapeCharacter);
}

/**
 * Escapes text for a person: as `escapeUnprintable`, but keeps line feeds. All output of the commands goes through
 * here, so a message may contain a file name or a driver's text.
 *
 * @param isTerminal whether colours and a progress line are left as they are
 */
export function escapeLines(text: string, isTerminal: boolean): string {
  if (!isTerminal) return text.replace(UNPRINTABLE_IN_LINES, escapeCharacter);
  return text.replace(UNPRINTABLE_IN_TERMINAL, (found, ours: string | undefined) => ours ?? escapeCharacter(found));
}

/**
 * Prepares a driver's text for one line of a log, an HTTP body or a terminal: escaped as by `escapeUnprintable`, and
 * cut with `…` if it is too long, never within a character or an escape. The work is bounded by `maxBytes`, because the
 * text may have 64 KiB.
 *
 * @param maxBytes the most UTF-8 bytes of the result, `…` included; the result is empty if not even that fits
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
 * JSON on one line, with unprintable characters escaped, so that it cannot control a terminal. Lone surrogates become
 * U+FFFD, because parsers in other languages reject them.
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
