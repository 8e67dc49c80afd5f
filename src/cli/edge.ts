import type { TimeZone } from "../log/record";
import type { StyleFacts } from "../terminal/style";

/** What a command has of the process and the world around it. Made in `main.ts` alone; tests make their own. */
export interface Edge {
  /**
   * Writes lines to standard output or standard error: each text whole and in the order of the calls, before the process ends. What is
   * not printable is escaped (`escapeLines`).
   */
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** What there is to know of where standard output or standard error goes. */
  readonly streamFacts: (stream: "out" | "error") => StyleFacts;
  /** Takes over SIGTERM and SIGINT: resolves at the first of them. For a command that does not, they end the process at once. */
  readonly stopRequested: () => Promise<void>;
  /** Calls `undo` before a signal ends the process, unless this is disposed of by then. It may write, but must not wait. */
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
