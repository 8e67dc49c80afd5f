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
   * Whole milliseconds since the epoch, by the wall clock. Microseconds would need Temporal (0.25 MiB); durations such as
   * `elapsed` are measured with the monotonic clock.
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
  readonly error?: string;
  readonly values: LogValues;
}

/** One `pattern=N` of `--vmodule`. */
export interface VmodulePattern {
  /** A glob for the name of a source file without its extension: `prober`, `h*`, `[a-c]*`. */
  readonly pattern: string;
  readonly verbosity: number;
}
