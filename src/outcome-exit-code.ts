import type { FailureReason } from "./probe-result";
import type { DriverOutcome } from "./report";

/** What there was no connection by, in connect(2) itself. */
const NO_CONNECTION: ReadonlySet<FailureReason> = new Set([
  "socket_missing",
  "not_a_socket",
  "nobody_listens",
  "permission_denied",
  "internal",
]);

/** grpc-health-probe's exit codes: 0 ready, 2 connect(2) failed, 3 anything after it, 4 not ready. */
export function outcomeExitCode(outcome: DriverOutcome): number {
  switch (outcome.kind) {
    case "ready":
      return 0;
    case "notReady":
      return 4;
    case "failed":
      return NO_CONNECTION.has(outcome.reason) ? 2 : 3;
    case "notCsi":
      return 3;
  }
  return outcome satisfies never;
}
