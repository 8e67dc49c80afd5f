import { formatJson } from "./json";
import { formatKlog } from "./klog";
import type { LogRecord, LogValues, TimeZone, VmodulePattern } from "./record";
import { vmoduleVerbosity } from "./vmodule";

/** Info lines that are printed at or above some verbosity. */
export interface VerboseLogger {
  /** If false, the caller need not compute the values. */
  readonly enabled: boolean;
  info(message: string, values?: LogValues): void;
}

/** The log of one source file. It never throws: a probe must not fail because a line could not be written. */
export interface Logger {
  info(message: string, values?: LogValues): void;
  warning(message: string, values?: LogValues): void;
  error(error: string | undefined, message: string, values?: LogValues): void;
  /** Lines at verbosity `n`. */
  v(n: number): VerboseLogger;
}

export type LogFormat = "text" | "json";

/** What all lines of the log share. */
export interface LineOptions {
  readonly format: LogFormat;
  readonly timeZone: TimeZone;
  /** Whole milliseconds since the epoch, by the wall clock. */
  readonly nowMs: () => number;
  readonly pid: number;
}

export interface LoggerOptions extends LineOptions {
  readonly verbosity: number;
  readonly vmodule: readonly VmodulePattern[];
  /** Takes one record, with its newline. */
  readonly write: (line: string) => void;
}

/** Makes the logger of a source file, such as `prober.ts`. */
export type CreateLogger = (source: string) => Logger;

/**
 * The log of the process, in klog's text or in Kubernetes' JSON.
 *
 * A line at verbosity n is printed if `verbosity` or the file's vmodule pattern is at least n. As in klog, a pattern can
 * raise the verbosity of a file but not lower it.
 */
export function createLogging(options: LoggerOptions): CreateLogger {
  return (source) => {
    const verbosity = Math.max(options.verbosity, vmoduleVerbosity(options.vmodule, source));
    const info = (level: number, message: string, values?: LogValues) =>
      log(options, { severity: "I", source, verbosity: level, message, values: values ?? {} });
    return {
      info: (message, values) => info(0, message, values),
      warning: (message, values) =>
        log(options, { severity: "W", source, verbosity: 0, message, values: values ?? {} }),
      error: (error, message, values) =>
        log(options, {
          severity: "E",
          source,
          verbosity: 0,
          message,
          values: values ?? {},
          ...(error === undefined ? {} : { error }),
        }),
      v: (n) => (n > verbosity ? DISABLED : { enabled: true, info: (message, values) => info(n, message, values) }),
    };
  };
}

/** The line that a sink writes after it has dropped lines. */
export function droppedLinesNotice(options: LineOptions): (dropped: number) => string {
  return (dropped) =>
    format(options, {
      severity: "W",
      source: "sink.ts",
      verbosity: 0,
      message: "Log lines were lost because nobody read standard error in time",
      values: { dropped },
    });
}

/** Shared, so that a disabled line allocates nothing. */
const DISABLED: VerboseLogger = { enabled: false, info: () => {} };

type Entry = Omit<LogRecord, "timeMs" | "timeZone" | "pid">;

function log(options: LoggerOptions, entry: Entry): void {
  try {
    options.write(format(options, entry));
  } catch {
    // There is nowhere left to report it.
  }
}

function format({ format: kind, timeZone, nowMs, pid }: LineOptions, entry: Entry): string {
  const record = { ...entry, timeMs: nowMs(), timeZone, pid };
  switch (kind) {
    case "text":
      return formatKlog(record);
    case "json":
      return formatJson(record);
  }
  return kind satisfies never;
}
