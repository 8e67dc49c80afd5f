import { type DriverStepOptions, type DriverSteps, takeDriverSteps, titlesOf } from "./driver-steps";
import { takeListenerSteps, type ListenerSteps } from "./listener-steps";
import type { NodeView } from "./node-view";
import { readSecurityLabel } from "./node/security-label";
import type { Pod } from "./node/pod";
import { takePathSteps } from "./path-steps";
import type { DriverOutcome, InspectReport, InspectStep } from "./report";

export interface InspectionOptions extends Omit<DriverStepOptions, "connectPath"> {
  readonly node: NodeView;
}

/**
 * One driver in depth: its path, its file, who listens and how that process is, all without a connection; then one
 * connection, with HTTP/2 and each RPC. What comes after a step without which it makes no sense is not reached.
 */
export async function inspectDriver(options: InspectionOptions): Promise<InspectReport> {
  const { node, socketPath, uid } = options;
  const path = takePathSteps(node.root, socketPath, uid);
  const access = { procDir: node.procDir, uid };
  if (path.socket === undefined) {
    const rest = ["listener", "process", "connect", "HTTP/2", ...titlesOf(options)].map(notReached);
    return conclude(socketPath, [...path.steps, ...rest], MISSING(path.steps), undefined);
  }
  const { outerPath, file } = path.socket;
  const kubeletDirs = node.kubelets.roots.map(({ path: directory }) => directory);
  const view = { access, root: node.root, kubeletDirs };
  const listener = await takeListenerSteps(view, { path: path.socket.path, fileId: file.fileId, ownerUid: file.uid });
  const driver = await takeDriverSteps({ ...options, connectPath: outerPath });
  const labels = labelSteps(driver, listener, node.procDir);
  const steps = [...path.steps, ...listener.steps, ...labels, ...driver.steps];
  return conclude(socketPath, steps, driver, listener.pod);
}

/** Where uid and mode allow it and connect(2) is refused all the same, a security module has refused it. */
function labelSteps(driver: DriverSteps, listener: ListenerSteps, procDir: string): readonly InspectStep[] {
  const { outcome } = driver;
  if (outcome.kind !== "failed" || outcome.reason !== "permission_denied") return [];
  const ours = readSecurityLabel(procDir, "self");
  const details = [
    ...(ours === undefined ? [] : [`we are ${ours.label} (${ours.module})`]),
    ...(listener.label === undefined ? [] : [`who listens is ${listener.label.label} (${listener.label.module})`]),
  ];
  return details.length === 0 ? [] : [{ title: "labels", outcome: { kind: "absent", details }, elapsedMs: undefined }];
}

const MISSING = (steps: readonly InspectStep[]): DriverSteps => {
  const failed = steps.flatMap(({ outcome }) => (outcome.kind === "failed" ? outcome.details : []));
  const isFile = steps.some(({ title, outcome }) => title === "file" && outcome.kind === "failed");
  const message = failed.join(", ");
  return {
    steps: [],
    outcome: { kind: "failed", reason: isFile ? "not_a_socket" : "socket_missing", message },
    driver: undefined,
  };
};

function conclude(
  socket: string,
  steps: readonly InspectStep[],
  { outcome, driver }: Pick<DriverSteps, "outcome" | "driver">,
  pod: Pod | undefined,
): InspectReport {
  return { socket, driver, outcome, steps, verdict: verdictOf(outcome), next: logsCommand(pod) };
}

function verdictOf(outcome: DriverOutcome): string {
  switch (outcome.kind) {
    case "ready":
      return "ready";
    case "notReady":
      return "not ready: the driver responded but is not ready; its log says why";
    case "failed":
    case "notAsked":
      return outcome.message;
    case "notCsi":
      return outcome.what;
  }
  return outcome satisfies never;
}

/** Of the run before this one: that is where a driver that was restarted has said why. */
function logsCommand(pod: Pod | undefined): string | undefined {
  if (pod?.namespace === undefined || pod.name === undefined) return undefined;
  const container = pod.container === undefined ? "" : ` -c ${pod.container}`;
  return `kubectl logs -n ${pod.namespace} ${pod.name}${container} --previous`;
}

function notReached(title: string): InspectStep {
  return { title, outcome: { kind: "notReached" }, elapsedMs: undefined };
}
