import { formatJson } from "./json";
import { formatKlog } from "./klog";
import type { LogRecord, LogValues, VmodulePattern } from "./record";

/** Info lines that are printed from some verbosity on. */
export interface VerboseLogger {
  /** Lets a caller skip what only the line needs. */
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
  readonly verbosity: number;
  readonly vmodule: readonly VmodulePattern[];
  /** Takes one record, with its newline. */
  readonly write: (line: string) => void;
  /** Milliseconds since the epoch, with fractions. */
  readonly nowMs: () => number;
  readonly pid: number;
}

/** Makes the logger of a source file, such as `prober.ts`. */
export type CreateLogger = (source: string) => Logger;

/**
 * The one log of the process, in klog's text or in Kubernetes' JSON.
 *
 * A line at verbosity n is printed where `verbosity` or the file's vmodule pattern is at least n: as in klog, a pattern can
 * raise the verbosity of a file and never lower it.
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

/** What a sink prints before the first line after a loss, in the log's own format. */
export function droppedLinesNotice(
  options: Pick<LoggerOptions, "format" | "nowMs" | "pid">,
): (dropped: number) => string {
  return (dropped) =>
    format(options, {
      severity: "W",
      source: "sink.ts",
      verbosity: 0,
      message: "Log lines were lost because nobody read standard error in time",
      values: { dropped },
    });
}

/** Shared, so that a line that is switched off allocates nothing. */
const DISABLED: VerboseLogger = { enabled: false, info: () => {} };

type Entry = Omit<LogRecord, "timeMs" | "pid">;

function log(options: LoggerOptions, entry: Entry): void {
  try {
    options.write(format(options, entry));
  } catch {
    // There is nowhere left to say it.
  }
}

function format({ format: kind, nowMs, pid }: Pick<LoggerOptions, "format" | "nowMs" | "pid">, entry: Entry): string {
  const record = { ...entry, timeMs: nowMs(), pid };
  switch (kind) {
    case "text":
      return formatKlog(record);
    case "json":
      return formatJson(record);
  }
  return kind satisfies never;
}

// As in klog: the first pattern that matches the file's name without its extension counts.
function vmoduleVerbosity(patterns: readonly VmodulePattern[], source: string): number {
  const name = source.replace(/^.*\//s, "").replace(/\.[^.]*$/, "");
  return patterns.find(({ pattern }) => globMatches(pattern, name))?.verbosity ?? 0;
}

const TOKEN = String.raw`\\(.)|(\*)|(\?)|\[(\^?)((?:(?:\\.|[^\]\\-])(?:-(?:\\.|[^\]\\-]))?)+)\]|([^\\[*?])`;
const GLOB = new RegExp(`^(?:${TOKEN})*$`, "su");
const TOKENS = new RegExp(TOKEN, "gsu");
const RANGES = /\\?(.)(?:-\\?(.))?/gsu;

// The rules are those of Go's filepath.Match: a pattern that is not well-formed matches nothing.
function globMatches(pattern: string, name: string): boolean {
  if (!GLOB.test(pattern)) return false;
  const source = Array.from(pattern.matchAll(TOKENS), ([, escaped, star, any, not = "", ranges, plain = ""]) => {
    if (star !== undefined) return ".*";
    if (any !== undefined) return ".";
    return ranges === undefined ? literal(escaped ?? plain) : `[${not}${characterRanges(ranges)}]`;
  });
  return new RegExp(`^${source.join("")}$`, "su").test(name);
}

// A range whose end is before its start holds nothing in Go, but is an error in a RegExp.
function characterRanges(ranges: string): string {
  const parts = Array.from(ranges.matchAll(RANGES), ([, low = "", high = low]) => {
    return codePoint(low) > codePoint(high) ? "" : `${literal(low)}-${literal(high)}`;
  });
  return parts.join("");
}

function literal(character: string): string {
  return `\\u{${codePoint(character).toString(16)}}`;
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}
