import { escapeUnprintable, jsonText, quote } from "../base/text";

/** klog's letters: info, warning, error. */
export type Severity = "I" | "W" | "E";

export type LogValue = string | number | boolean | null | readonly LogValue[];

/** Keys in lowerCamelCase, in the order in which they are to be printed. */
export type LogValues = Readonly<Record<string, LogValue>>;

/** How a time is printed. Use `utc` if the local time is UTC: the runtime then loads no time zone data (1 MiB). */
export type TimeZone = "utc" | "local";

/** One line of the log before it is text. */
export interface LogRecord {
  readonly severity: Severity;
  /**
   * Whole milliseconds since the epoch, by the wall clock. Microseconds would need Temporal (0.25 MiB); durations such
   * as `elapsed` are measured with the monotonic clock.
   */
  readonly timeMs: number;
  readonly timeZone: TimeZone;
  readonly pid: number;
  /** The file that logs, such as `prober.ts`. */
  readonly source: string;
  /** The level of an info line: the n of `v(n)`. */
  readonly verbosity: number;
  /** Constant text; what varies is in `values`. */
  readonly message: string;
  readonly error?: string | undefined;
  readonly values: LogValues;
}

/**
 * One record as klog's text, with its newline: `I1122 09:53:50.671000   32502 prober.ts:1] "Message" key="value"`.
 *
 * The time is local, to the millisecond; the last three digits are always 0. The line number is always 1, because a
 * source map would take memory. An error comes first, under `err`, as from klog's `ErrorS`. A value of several lines is
 * printed as `key=<`, a tab and each line, ` >`. Unlike klog, we also escape unprintable characters there: it may be a
 * driver's text.
 */
export function formatKlog({ severity, timeMs, timeZone, pid, source, message, error, values }: LogRecord): string {
  const header = `${severity}${printTime(timeMs, timeZone)} ${String(pid).padStart(7)} ${source}:1]`;
  const pairs = Object.entries({ ...(error !== undefined && { err: error }), ...values });
  return `${header} ${quote(message)}${pairs.map(([key, value]) => formatPair(key, value)).join("")}\n`;
}

/**
 * One record as Kubernetes' JSON log, with its newline:
 * `{"ts":1795341456224,"caller":"prober.ts:1","msg":"...","v":5}`.
 *
 * `ts` is in milliseconds since the epoch; `v` is on info lines only; the values follow, and an error comes
 * last, under `err`. `<`, `>` and `&` are not escaped. The line number is always 1, as in klog's text.
 */
export function formatJson({ severity, timeMs, source, verbosity, message, error, values }: LogRecord): string {
  const level = severity === "I" ? { v: verbosity } : {};
  const last = error === undefined ? {} : { err: error };
  return `${jsonText({ ts: timeMs, caller: `${source}:1`, msg: message, ...level, ...values, ...last })}\n`;
}

/** MMDD hh:mm:ss.uuuuuu */
function printTime(timeMs: number, zone: TimeZone): string {
  const aheadMs = zone === "utc" ? 0 : new Date(timeMs).getTimezoneOffset() * -60_000;
  const iso = new Date(timeMs + aheadMs).toISOString();
  return `${iso.slice(5, 7)}${iso.slice(8, 10)} ${iso.slice(11, 23)}000`;
}

function formatPair(key: string, value: LogValue): string {
  if (typeof value === "object") return ` ${key}=${jsonText(value)}`;
  if (typeof value !== "string") return ` ${key}=${value}`;
  return value.includes("\n") ? ` ${key}=<\n${indent(value)} >` : ` ${key}=${quote(value)}`;
}

// A newline at the end of the value adds no empty line.
function indent(text: string): string {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line) => `\t${line.split("\t").map(escapeUnprintable).join("\t")}\n`).join("");
}
