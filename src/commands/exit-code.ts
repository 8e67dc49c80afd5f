import type { FailureReason } from "../driver/diagnosis";
import type { DriverOutcome } from "../inspection/report";

/** For the help of `check` and `inspect`. */
export const OUTCOME_EXIT_CODES = [
  "Exit codes, the same as those of grpc-health-probe:",
  "  0 ready  1 usage error  2 no connection  3 no answer  4 not ready",
];

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
