/** klog's letters: info, warning, error. */
export type Severity = "I" | "W" | "E";

export type LogValue = string | number | boolean | null | readonly LogValue[];

/** Keys in lowerCamelCase, in the order in which they are to be printed. */
export type LogValues = Readonly<Record<string, LogValue>>;

/** How a record's time is printed. `utc` is to be chosen where the local time is UTC: the runtime then loads no time zones, 1 MiB. */
export type TimeZone = "utc" | "local";

/** One line of the log before it is text. */
export interface LogRecord {
  readonly severity: Severity;
  /**
   * Whole milliseconds since the epoch, by the wall clock, which may be set at any time. To print microseconds of it
   * takes Temporal, 0.25 MiB, and tells nothing more: `elapsed` is measured with the other clock.
   */
  readonly timeMs: number;
  readonly timeZone: TimeZone;
  readonly pid: number;
  /** The file that logs, such as `prober.ts`. */
  readonly source: string;
  /** The level of an info line: the n of `v(n)`. */
  readonly verbosity: number;
  /** Constant text: what differs from line to line is in `values`. */
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
