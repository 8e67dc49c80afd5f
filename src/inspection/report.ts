import type { ProcessState } from "../processes/process-state";
import type { FailureReason } from "../driver/diagnosis";

/** A row of `list`: a socket of the node, and its answers. What is not known is undefined. */
export interface DriverReport {
  readonly driver?: string | undefined;
  /** `driver` is its answer to GetPluginInfo, `directory` that of its directory in `plugins/`. */
  readonly nameSource?: "driver" | "registration" | "directory" | undefined;
  /** As the kubelet knows it: without the prefix of `--root`. */
  readonly socket: string;
  readonly vendorVersion?: string | undefined;
  readonly outcome: DriverOutcome;
  /** How long connecting took, up to the driver's HTTP/2 SETTINGS. */
  readonly connectMs?: number | undefined;
  /** How long Identity/Probe took. */
  readonly callMs?: number | undefined;
  /** Whether it answered, but took more than half of the timeout. */
  readonly slow: boolean;
  /** Whether a registration socket names this driver; `unknown` if one of them did not answer. */
  readonly announced: "yes" | "no" | "unknown";
  readonly listener?: ListenerReport | undefined;
  /** Only with `-o wide` and `-o json`. */
  readonly capabilities?: CapabilityReport | undefined;
}

export type DriverOutcome =
  | { readonly kind: "ready" }
  | { readonly kind: "notReady" }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly message: string }
  /** It is something else, such as a DRA plugin, and does not count. */
  | { readonly kind: "notCsi"; readonly what: string }
  /** It was not asked, or not for the whole timeout; why. It counts as a driver that is not ready. */
  | { readonly kind: "notAsked"; readonly message: string };

/** What an answer of Probe means that is `ready: false`. */
export const NOT_READY = "ready: false: the driver is still starting, or waits for its backend; its log says which";

/** The process that listens, by /proc and the kubelet's files. */
export interface ListenerReport {
  readonly pid: number;
  /** The kernel's name of the process. */
  readonly command: string;
  /** If a thread hangs, that thread's state: the process's own does not show it. */
  readonly state: ProcessState;
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
}

/** Names of the CSI specification; undefined if the service was not asked or did not answer. */
export interface CapabilityReport {
  readonly plugin: readonly string[] | undefined;
  readonly node: readonly string[] | undefined;
  readonly controller: readonly string[] | undefined;
}

/** What `list` found, where it looked, and what it left out. */
export interface NodeReport {
  readonly drivers: readonly DriverReport[];
  /** The places, such as `/var/lib/kubelet: 3 sockets` and `/var/lib/k0s/kubelet: no such directory`. */
  readonly looked: readonly string[];
  /** What was left out on purpose or could not be seen, in sentences. */
  readonly notes: readonly string[];
  /** Whether nothing was left out that may have hidden a driver. */
  readonly complete: boolean;
  readonly denied: readonly string[];
  /** Where drivers were found, and none of the name that was asked for: a sentence with the names that there are. */
  readonly absent: string | undefined;
}

export interface InspectStep {
  readonly title: string;
  readonly outcome: StepOutcome;
  readonly elapsedMs: number | undefined;
}

export type StepOutcome =
  | { readonly kind: "passed"; readonly details: readonly string[] }
  | {
      readonly kind: "failed";
      readonly details: readonly string[];
      /** What to do, in words, and a command to paste for it. */
      readonly remedy: string | undefined;
      readonly command: string | undefined;
    }
  /** A normal answer that says less than another: `Unimplemented`. */
  | { readonly kind: "absent"; readonly details: readonly string[] }
  /** We may not see it; `needs` says what it takes: `hostPID`. */
  | { readonly kind: "notPermitted"; readonly needs: string }
  | { readonly kind: "notReached" };

export const NOT_REACHED: StepOutcome = { kind: "notReached" };

export function passed(details: readonly string[]): StepOutcome {
  return { kind: "passed", details };
}

export function failed(details: readonly string[], remedy?: string, command?: string): StepOutcome {
  return { kind: "failed", details, remedy, command };
}

export function step(title: string, outcome: StepOutcome, elapsedMs?: number): InspectStep {
  return { title, outcome, elapsedMs };
}

export interface InspectReport {
  readonly socket: string;
  readonly driver: string | undefined;
  readonly outcome: DriverOutcome;
  readonly slow: boolean;
  readonly steps: readonly InspectStep[];
  /** In a line: the state, and at which step it fails. */
  readonly verdict: string;
  /** What to do first: a command to paste. */
  readonly next: string | undefined;
}
