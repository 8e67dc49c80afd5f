const DURATION = /^([-+]?)(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const PART = /(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g;

/** Both signs that people type for micro are there: U+00B5 (micro sign) and U+03BC (Greek mu). */
const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  "\u00b5s": 1e3,
  "\u03bcs": 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
};

/** A Go duration is a signed 64-bit number of nanoseconds. */
const MAX_NS = 2n ** 63n - 1n;

/**
 * Reads a duration as Go's `time.ParseDuration` does: `3s`, `1m30s`, `-1.5h`, `0`.
 *
 * @returns milliseconds, with fractions, or undefined where Go returns an error: no unit (`3`), an unknown unit (`1d`),
 *   an empty text, or more nanoseconds than fit in an int64
 */
export function parseDuration(text: string): number | undefined {
  const sign = DURATION.exec(text)?.[1];
  if (sign === undefined) return undefined;
  let totalNs = 0n;
  for (const [, whole = "", decimals = "", unit = ""] of text.matchAll(PART)) {
    const unitNs = UNIT_NS[unit] ?? 0;
    totalNs += BigInt(whole) * BigInt(unitNs) + fractionNs(decimals, unitNs);
  }
  if (totalNs > (sign === "-" ? MAX_NS + 1n : MAX_NS)) return undefined;
  return Number(sign === "-" ? -totalNs : totalNs) / 1e6;
}

/**
 * Writes a duration as Go's `Duration.String` does: `1h0m0s`, `1m30s`, `1.5s`, `250ms`, `1.5µs`, `0s`.
 *
 * @param ms milliseconds, finite; rounded to the nanosecond
 */
export function formatDuration(ms: number): string {
  const signedNs = Math.round(ms * 1e6);
  const ns = Math.abs(signedNs);
  const sign = signedNs < 0 ? "-" : "";
  if (ns === 0) return "0s";
  if (ns < 1e3) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${decimal(ns, 3)}\u00b5s`;
  if (ns < 1e9) return `${sign}${decimal(ns, 6)}ms`;
  const hours = ns < 3_600e9 ? "" : `${Math.floor(ns / 3_600e9)}h`;
  const minutes = ns < 60e9 ? "" : `${Math.floor((ns % 3_600e9) / 60e9)}m`;
  return `${sign}${hours}${minutes}${decimal(ns % 60e9, 9)}s`;
}

/** As in Go: the digits that fit in an int64, multiplied in floating point, truncated to whole nanoseconds. */
function fractionNs(decimals: string, unitNs: number): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of decimals) {
    const next = value * 10n + BigInt(digit);
    if (next > MAX_NS + 1n) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (unitNs / scale)));
}

/** `ns` in units of 10^`places` nanoseconds, without trailing zeros. */
function decimal(ns: number, places: number): string {
  const unitNs = 10 ** places;
  const fraction = String(ns % unitNs)
    .padStart(places, "0")
    .replace(/0+$/, "");
  const whole = Math.floor(ns / unitNs);
  return fraction === "" ? String(whole) : `${whole}.${fraction}`;
}
