import type { TimeZone } from "./log/record";
import type { StyleFacts } from "./terminal/style";

/** What a command has of the process and the world around it. Made in `main.ts` alone; tests make their own. */
export interface Edge {
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** What there is to know of where standard output or standard error goes. */
  readonly streamFacts: (stream: "out" | "error") => StyleFacts;
  /** Resolves when the process is asked to stop (SIGTERM, SIGINT). */
  readonly stopRequested: Promise<void>;
  readonly pid: number;
  /** Effective user id. */
  readonly uid: number;
  /** The time zone of the log's times: UTC where that is the local one, which is cheaper to print. */
  readonly timeZone: TimeZone;
  /** When the process started, in seconds since the unix epoch. */
  readonly startTimeSeconds: number;
}
