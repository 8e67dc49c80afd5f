const DURATION = /^([-+]?)(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g;

const NS_PER_US = 1e3;
const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;
const NS_PER_MIN = 60e9;
const NS_PER_H = 3_600e9;

/** Both signs that people type for micro are there: U+00B5 (micro sign) and U+03BC (Greek mu). */
const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: NS_PER_US,
  "\u00b5s": NS_PER_US,
  "\u03bcs": NS_PER_US,
  ms: NS_PER_MS,
  s: NS_PER_S,
  m: NS_PER_MIN,
  h: NS_PER_H,
};

/** A Go duration is a signed 64-bit number of nanoseconds. */
const INT64_MAX = 2n ** 63n - 1n;

/**
 * Reads a duration as Go's `time.ParseDuration` does: `3s`, `1m30s`, `-1.5h`, `0`.
 *
 * @returns milliseconds, with fractions, or undefined where Go returns an error: no unit (`3`), an unknown unit (`1d`),
 *   an empty text, or more nanoseconds than fit in an int64
 */
export function parseDuration(text: string): number | undefined {
  const sign = DURATION.exec(text)?.[1];
  if (sign === undefined) return undefined;
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of text.matchAll(PART)) {
    const unitNs = UNIT_NS[unit] ?? 0;
    total += BigInt(whole) * BigInt(unitNs) + fractionNs(fraction, unitNs);
  }
  if (total > (sign === "-" ? INT64_MAX + 1n : INT64_MAX)) return undefined;
  return Number(sign === "-" ? -total : total) / NS_PER_MS;
}

/**
 * Writes a duration as Go's `Duration.String` does: `1h0m0s`, `1m30s`, `1.5s`, `250ms`, `1.5µs`, `0s`.
 *
 * @param ms milliseconds, finite; rounded to the nanosecond
 */
export function formatDuration(ms: number): string {
  const signedNs = Math.round(ms * NS_PER_MS);
  const ns = Math.abs(signedNs);
  const sign = signedNs < 0 ? "-" : "";
  if (ns === 0) return "0s";
  if (ns < NS_PER_US) return `${sign}${ns}ns`;
  if (ns < NS_PER_MS) return `${sign}${decimal(ns, 3)}\u00b5s`;
  if (ns < NS_PER_S) return `${sign}${decimal(ns, 6)}ms`;
  const hours = ns < NS_PER_H ? "" : `${Math.floor(ns / NS_PER_H)}h`;
  const minutes = ns < NS_PER_MIN ? "" : `${Math.floor((ns % NS_PER_H) / NS_PER_MIN)}m`;
  return `${sign}${hours}${minutes}${decimal(ns % NS_PER_MIN, 9)}s`;
}

// As Go does: the digits that fit in an int64, multiplied in floating point, truncated to whole nanoseconds.
function fractionNs(digits: string, unitNs: number): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (next > INT64_MAX + 1n) break;
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
