import * as fc from "fast-check";
import { formatDuration, parseDuration } from "../../src/base/duration";
import { nearly, words } from "../arbitraries";
import { startGoOracle } from "../go-oracle";
import { AGREES, compare, createTarget, same, wantedBecause, type Verdict } from "../target";

/** Nanoseconds, or null where time.ParseDuration returns an error; and what Duration.String makes of them. */
type GoDuration = readonly [nanoseconds: string, text: string] | null;

const UNITS = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
const NUMBERS = [
  "0",
  "00",
  "1",
  ".",
  ".5",
  "1.",
  "007",
  "1e3",
  "2562047",
  "9223372036",
  "854775807",
  "854775808",
  "9223372036854775807",
];
const DIGITS = fc.stringMatching(/^\d{1,25}$/);
const part = fc
  .tuple(
    fc.oneof(fc.constantFrom(...NUMBERS), DIGITS),
    fc.constantFrom("", "."),
    fc.oneof(fc.constant(""), DIGITS),
    fc.constantFrom(...UNITS),
  )
  .map((pieces) => pieces.join(""));
const wellFormed = fc
  .tuple(fc.constantFrom("", "", "", "+", "-"), fc.array(part, { minLength: 1, maxLength: 4 }))
  .map(([sign, parts]) => sign + parts.join(""));
const inputs = nearly(fc.oneof(wellFormed, words([...UNITS, ...NUMBERS, "+", "-", " ", "d"], 8)));

/** Beyond, milliseconds in a float do not hold every nanosecond. It is more than the longest timeout. */
const EXACT_NS = 2 ** 51;

export const durations = createTarget({
  name: "durations",
  against: "time.ParseDuration and Duration.String",
  weight: 3,
  inputs,
  batchSize: 5_000,
  open: async () => compare(await startGoOracle<string, GoDuration>("duration"), verdictOn),
});

function verdictOn(text: string, go: GoDuration): Verdict {
  const ours = parseDuration(text);
  if (go === null || ours === undefined) return same(ours, go?.[0]);
  const [nanoseconds, goText] = go;
  const read = same(ours, Number(nanoseconds) / 1e6);
  if (read !== AGREES) return read;
  if (Math.abs(Number(nanoseconds)) > EXACT_NS)
    return wantedBecause("a duration over 26 days is not printed to the nanosecond");
  return same(formatDuration(ours), goText);
}
