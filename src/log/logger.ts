import { formatJson, formatKlog, type LogRecord, type LogValues, type Severity, type TimeZone } from "./format";
import type { StreamName } from "./sink";
import { type VmodulePattern, vmoduleVerbosity } from "./vmodule";

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

export interface LoggerOptions {
  readonly format: LogFormat;
  readonly timeZone: TimeZone;
  /** Whole milliseconds since the epoch, by the wall clock. */
  readonly nowMs: () => number;
  readonly pid: number;
  readonly verbosity: number;
  readonly vmodule: readonly VmodulePattern[];
  /** Takes one record, with its newline. */
  readonly write: (line: string, severity: Severity) => void;
}

/** Makes the logger of a source file, such as `prober.ts`. */
export type CreateLogger = (source: string) => Logger;

/**
 * The log of the process, in klog's text or in Kubernetes' JSON.
 *
 * A line at verbosity n is printed if `verbosity` or the file's vmodule pattern is at least n. As in klog, a pattern
 * can raise the verbosity of a file but not lower it.
 */
export function createLogging(options: LoggerOptions): CreateLogger {
  return (source) => {
    const highest = Math.max(options.verbosity, vmoduleVerbosity(options.vmodule, source));
    const log = (severity: Severity, message: string, values: LogValues = {}, verbosity = 0, error?: string): void => {
      try {
        options.write(formatLine(options, { severity, source, verbosity, message, values, error }), severity);
      } catch {
        // There is nowhere left to report it.
      }
    };
    return {
      info: (message, values) => log("I", message, values),
      warning: (message, values) => log("W", message, values),
      error: (error, message, values) => log("E", message, values, 0, error),
      v: (n) => (n > highest ? DISABLED : { enabled: true, info: (message, values) => log("I", message, values, n) }),
    };
  };
}

/**
 * The line that a sink writes after it has dropped lines. On standard output it is an info line, as all lines there
 * are.
 */
export function droppedLinesNotice(options: LineOptions, stream: StreamName, dropped: number): string {
  const message = `Log lines were lost because nobody read ${stream} in time`;
  const severity = stream === "standard output" ? "I" : "W";
  return formatLine(options, { severity, source: "sink.ts", verbosity: 0, message, values: { dropped } });
}

/** Shared, so that a disabled line allocates nothing. */
const DISABLED: VerboseLogger = { enabled: false, info: () => {} };

type LineOptions = Pick<LoggerOptions, "format" | "timeZone" | "nowMs" | "pid">;

function formatLine(
  { format, timeZone, nowMs, pid }: LineOptions,
  entry: Omit<LogRecord, "timeMs" | "timeZone" | "pid">,
): string {
  const record = { ...entry, timeMs: nowMs(), timeZone, pid };
  return format === "json" ? formatJson(record) : formatKlog(record);
}
