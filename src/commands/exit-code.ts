import { oneLine } from "../base/text";
import type { FailureReason } from "../driver/diagnosis";
import type { ProbeResult } from "../driver/probe";
import type { DriverOutcome } from "../inspection/report";

/** For the help of `check` and `inspect`. */
export const OUTCOME_EXIT_CODES = [
  "Exit codes, the same as those of grpc-health-probe:",
  "  0 ready  1 usage error  2 no connection  3 no answer  4 not ready",
];

/** For the help of `check`. */
export const NPD_EXIT_CODES = ["With --exit-codes=npd:", "  0 ready  1 problem  2 cannot tell, or usage error"];

/** What node-problem-detector reads of a custom plugin's standard output, by default. */
const NPD_LINE_BYTES = 80;

/** One line for node-problem-detector, with the newline. It drops what is too long, so the reason comes first. */
export function npdLine(text: string): string {
  return `${oneLine(text.trimEnd(), NPD_LINE_BYTES)}\n`;
}

/** Whether a command line, which may be one that cannot be read, is a check for node-problem-detector. */
export function isNpdCheck([command, ...words]: readonly string[]): boolean {
  return command === "check" && /(^|\0)--?exit-codes[=\0]npd(\0|$)/.test(words.join("\0"));
}

/** For node-problem-detector. */
export const CANNOT_TELL = 2;

/**
 * As node-problem-detector wants them: a driver is a problem only where it was asked, or where there is nothing to ask.
 */
export function npdExitCode(result: ProbeResult): number {
  switch (result.kind) {
    case "ready":
      return 0;
    case "notReady":
      return 1;
    case "failed":
      return result.notAsked || result.reason === "internal" || result.reason === "permission_denied" ? CANNOT_TELL : 1;
  }
  return result satisfies never;
}

/** Why nobody could be asked. */
const NO_CONNECTION: ReadonlySet<FailureReason> = new Set([
  "socket_missing",
  "not_a_socket",
  "nobody_listens",
  "permission_denied",
  "internal",
]);

/** See `OUTCOME_EXIT_CODES`. */
export function outcomeExitCode(outcome: DriverOutcome): number {
  switch (outcome.kind) {
    case "ready":
      return 0;
    case "notReady":
      return 4;
    case "notAsked":
      return 2;
    case "failed":
      return NO_CONNECTION.has(outcome.reason) ? 2 : 3;
    case "notCsi":
      return 3;
  }
  return outcome satisfies never;
}
