import { errorText } from "../base/errors";
import type { CallTiming, SingleCall } from "./client";
import { diagnose, diagnoseInternal, type Diagnosis, type Target } from "./diagnosis";
import { PROBE, type ProbeResponse } from "./messages";

/** What one probe came to. */
export type ProbeResult = { readonly kind: "ready" | "notReady"; readonly timing: CallTiming } | FailedProbe;

export interface FailedProbe extends Diagnosis {
  readonly kind: "failed";
  readonly timing: CallTiming;
}

export interface ProbeOptions extends Target {
  /** Calls Identity/Probe once, over a connection of its own. */
  readonly probe: () => Promise<SingleCall<ProbeResponse>>;
  /** How long connecting has been tried, where this is not the first attempt. */
  readonly triedMs?: () => number;
}

/** Probes the driver once, and says why it is not ready. Never rejects. */
export async function probeOnce(options: ProbeOptions): Promise<ProbeResult> {
  try {
    const { outcome, timing } = await options.probe();
    if (outcome.kind === "answered") return { kind: outcome.response.ready ? "ready" : "notReady", timing };
    const { elapsedMs } = timing;
    const attempt = { ...options, rpcPath: PROBE.path, elapsedMs, triedMs: options.triedMs?.() };
    const diagnosis = diagnose(outcome, attempt);
    return { kind: "failed", ...diagnosis, timing };
  } catch (error) {
    return { kind: "failed", ...diagnoseInternal(errorText(error), options.socketPath), timing: { elapsedMs: 0 } };
  }
}
