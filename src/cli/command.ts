import type { ParsedArgs } from "citty";
import type { TimeZone } from "../log/format";
import type { ScreenFacts } from "../terminal/style";

/** A command of any arguments, in citty's words, with what our help says besides. */
export interface Command {
  /** The description is one sentence. */
  readonly meta: { readonly name: string; readonly description: string };
  readonly args: Args;
  /** Lines at the end of the command's own help. */
  readonly notes?: readonly string[];
  /** Returns the exit code. What it takes depends on `args`. */
  readonly run: (line: never) => number | Promise<number>;
}

export interface CommandOf<A extends Args> extends Command {
  readonly args: A;
  readonly run: (line: CommandLine<ParsedArgs<A>>) => number | Promise<number>;
}

/** What was written behind a command's name. */
export interface CommandLine<Parsed> {
  /**
   * Each flag and operand by name, with its default where it was not given; `_` are all words that belong to no flag.
   */
  readonly args: Parsed;
  /** The text of each flag that was given. */
  readonly given: Readonly<Record<string, string>>;
}

/** Loads a command when it is called: `serve` loads none of the others. */
export type Commands = Readonly<Record<string, () => Promise<Command>>>;

/** Flags and operands by name. */
export type Args = Readonly<Record<string, Flag | Operand>>;

export type FlagGroup =
  "Probe" | "Node" | "Output" | "HTTP" | "Logging" | "General" | "Deprecated" | "Accepted and ignored";

export type Flag = {
  /** What the flag does, in sentences, without its default. */
  readonly description: string;
  readonly group: FlagGroup;
  /** A letter that stands for the name. */
  readonly alias?: string;
  /** What to use instead of a deprecated flag. */
  readonly deprecated?: string;
} & (
  | {
      readonly type: "string";
      /** The value where the flag is not given, in the text form of Go's `flag` package. */
      readonly default?: string;
      /** What the help prints for the value. */
      readonly valueHint: string;
      /** Joins the values of a flag that may be repeated; of any other flag the last value counts. */
      readonly separator?: string;
    }
  | { readonly type: "boolean"; readonly default: false }
);

/** A word that belongs to no flag. */
export interface Operand {
  readonly type: "positional";
  readonly valueHint: string;
  readonly required: boolean;
  /** What it is, to follow the hint and a colon. */
  readonly description: string;
}

/** The command line cannot be read. The message is one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  constructor(
    message: string,
    readonly unknown?: UnknownWord,
  ) {
    super(message);
  }
}

export interface UnknownWord {
  readonly word: string;
  /** Those that could be meant; flags with their dashes. */
  readonly known: readonly string[];
  /** The advice where none is near. */
  readonly otherwise: string;
}

/** What a command has of the process around it. Made in `main.ts`. */
export interface ProcessContext {
  /**
   * Write to standard output or standard error: each text whole, in the order of the calls, escaped by `escapeLines`.
   */
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Where standard output or standard error leads. */
  readonly streamFacts: (stream: "out" | "error") => ScreenFacts;
  /** Calls `call` when the terminal of standard output has another size. */
  readonly onResize: (call: () => void) => void;
  /** Resolves when all that was written is with the reader of standard output; false where nobody reads it any more. */
  readonly outIsRead: () => Promise<boolean>;
  /** Takes over SIGTERM and SIGINT: resolves at the first of them. Without this call they end the process at once. */
  readonly stopRequested: () => Promise<void>;
  /**
   * Calls `undo` before a signal ends the process, unless this is disposed of by then. It may write, but must not wait.
   */
  readonly onInterrupt: (undo: () => void) => Disposable;
  /** The words by which this program was started, without its arguments. */
  readonly program: () => readonly string[];
  readonly pid: number;
  /** Effective user id. */
  readonly uid: number;
  /** The time zone of the log's times: UTC where that is the local one, which is cheaper to print. */
  readonly timeZone: TimeZone;
  /** When the process started, in seconds since the unix epoch. */
  readonly startTimeSeconds: number;
}
