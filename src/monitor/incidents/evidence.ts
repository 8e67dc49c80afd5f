import type { Diagnosis } from "../../driver/diagnosis";
import { connectFailed, type DriverStepOptions, type DriverSteps, failedAt } from "../../inspection/steps/driver";
import { inspectDriver } from "../../inspection/inspection";
import type { NodeView } from "../../inspection/node-view";
import { type InspectReport, passed, step } from "../../inspection/report";
import type { Invocation } from "../../base/shell-command";
import { describeResources } from "../driver-process";
import type { Hang } from "../held-call";

export interface EvidenceOptions {
  readonly node: NodeView;
  readonly socketPath: string;
  readonly probeTimeoutMs: number;
  readonly self: Invocation;
  /** Where the driver hangs: how far the connection to it has come, that is kept open. It gets no second one. */
  readonly hang: { readonly hang: Hang; readonly message: string } | undefined;
  /** The process that was seen to listen last. */
  readonly pid: number | undefined;
}

/** Takes the steps of `inspect` on a driver that has just failed. Never rejects. */
export async function gatherEvidence(options: EvidenceOptions): Promise<InspectReport> {
  const { node, hang, pid } = options;
  const report = await inspectDriver({
    ...options,
    byName: true,
    nodeInfo: false,
    onWait: () => {},
    ...(hang !== undefined && { takeOwnSteps: (own) => hangSteps(hang.hang, hang.message, own) }),
  });
  const resources = pid === undefined ? [] : describeResources(node.procDir, pid);
  if (resources.length === 0) return report;
  const after = report.steps.findIndex(({ title }) => title === "process") + 1;
  return { ...report, steps: report.steps.toSpliced(after, 0, step("resources", passed(resources))) };
}

/** The steps of the connection that is kept open. */
function hangSteps({ at, timing }: Hang, message: string, options: DriverStepOptions): DriverSteps {
  const { connectMs = timing.elapsedMs, openMs = timing.elapsedMs, elapsedMs } = timing;
  const diagnosis: Diagnosis = { reason: "hung", message };
  if (at === "connect")
    return connectFailed(
      { kind: "noConnection", failure: { kind: "silent" }, elapsedMs, connectMs },
      diagnosis,
      options,
    );
  const before = [step("connect", passed([]), connectMs), step("HTTP/2", passed([]), openMs - connectMs)];
  return failedAt("Probe", elapsedMs - openMs, before, diagnosis, options);
}
