import type { ParsedArgs } from "citty";
import * as fc from "fast-check";
import { ConfigError } from "../../src/base/errors";
import { quote } from "../../src/base/text";
import { SERVE_FLAGS } from "../../src/cli/flags";
import { readOptions } from "../../src/cli/options";
import { parseStatusCode } from "../../src/grpc/status";
import { vmoduleVerbosity } from "../../src/log/vmodule";
import { anyText, nearly, words } from "../arbitraries";
import { startGoOracle } from "../go-oracle";
import { AGREES, compare, createTarget, same, wantedBecause } from "../target";

// Whether a size of a log's buffer is zero: only then it is accepted.
const DIGITS = ["", "0", "00", "0", "1", "0.5", "12"];
const SUFFIXES = [
  "",
  "Ki",
  "Mi",
  "Gi",
  "Ti",
  "Pi",
  "Ei",
  "n",
  "u",
  "m",
  "k",
  "M",
  "G",
  "T",
  "P",
  "E",
  "e",
  "e0",
  "E-5",
  "e+99",
  "K",
  "ki",
];
const quantity = fc
  .tuple(
    fc.constantFrom("", "", "+", "-"),
    fc.constantFrom(...DIGITS),
    fc.constantFrom("", "."),
    fc.constantFrom(...DIGITS),
    fc.constantFrom(...SUFFIXES),
  )
  .map((parts) => parts.join(""));

export const quantities = createTarget({
  name: "quantities",
  against: "resource.ParseQuantity",
  weight: 1,
  inputs: nearly(quantity),
  batchSize: 2_000,
  open: async () =>
    compare(await startGoOracle<string, boolean | null>("quantity"), (text, isZero) =>
      same(acceptsSize(text), isZero === true),
    ),
});

// The defaults of its own flags; those without one are booleans.
const DEFAULTS = Object.fromEntries(
  Object.entries(SERVE_FLAGS).map(([name, flag]) => [name, flag.default]),
) as ParsedArgs<typeof SERVE_FLAGS>;

function acceptsSize(text: string): boolean {
  try {
    readOptions({ ...DEFAULTS, "log-text-info-buffer-size": text });
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

// --vmodule's patterns. The name of a source file has no slash.
const GLOB = [
  "a",
  "b",
  "z",
  "*",
  "**",
  "?",
  "[",
  "]",
  "[a-c]",
  "[^a]",
  "[z-a]",
  "[-a]",
  "[a-]",
  "[]a]",
  "[^",
  "-",
  "^",
  "\\",
  "\\*",
  "é",
  "🚗",
  ".",
  "\n",
  "{a,b}",
  "$",
  "(",
  "|",
];
const pattern = nearly(words(GLOB, 8));
const name = words(["a", "b", "z", "-", "]", "[", "^", "*", "\\", "é", "🚗", ".", "\n", "$"], 6);

export const globs = createTarget({
  name: "globs",
  against: "filepath.Match",
  weight: 1,
  inputs: fc.tuple(
    pattern,
    fc.oneof(
      name,
      anyText.map((text) => text.replaceAll("/", "")),
    ),
  ),
  batchSize: 2_000,
  open: async () =>
    compare(await startGoOracle<readonly [string, string], boolean>("glob"), ([glob, file], isMatch) => {
      const ours = vmoduleVerbosity([{ pattern: glob, verbosity: 1 }], `${file}.ts`) === 1;
      // oxlint-disable-next-line no-control-regex -- what is not ASCII
      const isCut = ours !== isMatch && glob.includes("*") && /[^\u0000-\u007f]/.test(file);
      return isCut
        ? wantedBecause("Go's * may end inside a character; no source file has such a name")
        : same(ours, isMatch);
    }),
});

export const quotes = createTarget({
  name: "quotes",
  against: "strconv.Quote",
  weight: 1,
  inputs: fc.oneof(
    anyText,
    words(
      [
        '"',
        "\\",
        "\n",
        "\u0000",
        "\u007f",
        "\u0085",
        "\u00ad",
        "\u200b",
        "\u2028",
        "\ufeff",
        "\ufffd",
        "\u{e0001}",
        "a",
        "é",
      ],
      8,
    ),
  ),
  batchSize: 2_000,
  open: async () =>
    compare(await startGoOracle<string, string>("quote"), (text, theirs) => {
      const ours = quote(text);
      if (ours === theirs) return AGREES;
      if (ours === withNewCharacters(theirs)) return wantedBecause(NEW_CHARACTERS);
      return same(ours, theirs);
    }),
});

export const NEW_CHARACTERS = "this runtime knows newer characters than Go, which escapes them";

/** Go's quoted text with the characters that we print as they are. */
export function withNewCharacters(quoted: string): string {
  return quoted.replace(/\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|.)/g, (escape, short?: string, long?: string) => {
    const digits = short ?? long;
    const character = digits === undefined ? '"' : String.fromCodePoint(Number.parseInt(digits, 16));
    return quote(character) === `"${character}"` ? character : escape;
  });
}

const status = words(
  ["0", "1", "00", "16", "99", "2147483647", "2147483648", "4294967296", "-", "+", " ", "_", "x", "."],
  3,
);

export const statusCodes = createTarget({
  name: "status-codes",
  against: "strconv.ParseInt of 32 bits, as grpc-go reads grpc-status",
  weight: 1,
  inputs: nearly(status),
  batchSize: 5_000,
  open: async () =>
    compare(await startGoOracle<string, number | null>("status"), (text, theirs) =>
      same(parseStatusCode(text), theirs === null ? undefined : theirs >>> 0),
    ),
});
