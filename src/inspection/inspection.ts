import { type DriverStepOptions, type DriverSteps, takeDriverSteps, titlesOf } from "./driver-steps";
import { takeListenerSteps, type ListenerSteps } from "./listener-steps";
import type { NodePlaces, NodeView } from "./node-view";
import { GONE_PATH, pinSocket } from "../node/pinned-socket";
import { readSecurityLabel } from "../processes/security-label";
import { type NextCommands, nextCommands } from "./next-commands";
import { type PathSteps, takePathSteps } from "./path-steps";
import type { DriverOutcome, InspectReport, InspectStep } from "./report";

export interface InspectionOptions extends Omit<DriverStepOptions, "connectPath" | "next"> {
  readonly node: NodeView;
  readonly places: NodePlaces;
  /** Whether the path was found by a driver's name: nobody has named it, so it is followed only in the kubelet's directory. */
  readonly byName: boolean;
}

/**
 * One driver in depth: its path, its file, who listens and how that process is, all without a connection; then one
 * connection, with HTTP/2 and each RPC. What comes after a step without which it makes no sense is not reached.
 */
export async function inspectDriver(options: InspectionOptions): Promise<InspectReport> {
  const { node, places, socketPath, uid } = options;
  const place = { root: node.root, socketPath, places };
  const nobody = nextCommands(place, { pid: undefined, pod: undefined });
  const path = keepInside(takePathSteps(node.root, socketPath, uid, nobody), options);
  const access = { procDir: node.procDir, uid };
  if (path.kind === "ended") {
    const rest = ["listener", "process", "connect", "HTTP/2", ...titlesOf(options)].map(notReached);
    const ended = { outcome: path.outcome, driver: undefined };
    return conclude(socketPath, [...path.steps, ...rest], ended, nobody);
  }
  const { outerPath, file } = path.socket;
  const kubeletDirs = node.kubelets.roots.map(({ path: directory }) => directory);
  const view = { access, root: node.root, kubeletDirs };
  const toFind = { path: path.socket.path, fileId: file.fileId, ownerUid: file.uid };
  options.onWait("the process that listens");
  const listener = await takeListenerSteps(view, toFind, nobody);
  const next = nextCommands(place, listener);
  const pinned = pinSocket(outerPath, file.fileId);
  // What cannot be held is gone by now: connecting to its own file says so, and follows no link.
  using socket = pinned.kind === "pinned" ? pinned.socket : undefined;
  const driver = await takeDriverSteps({ ...options, next, connectPath: socket?.path ?? GONE_PATH });
  const labels = labelSteps(driver, listener, node.procDir);
  const steps = [...path.steps, ...listener.steps, ...labels, ...driver.steps];
  return conclude(socketPath, steps, driver, next);
}

/** Whoever may write to a driver's directory may put a link in the socket's place while names are asked for. */
function keepInside(path: PathSteps, { byName, node, socketPath }: InspectionOptions): PathSteps {
  if (!byName || path.kind === "ended" || node.kubelets.holds(path.socket.path)) return path;
  const message = `${socketPath} leads to ${path.socket.path}, which lies outside of the kubelet's directory`;
  return { kind: "ended", steps: path.steps, outcome: { kind: "notAsked", message } };
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

function conclude(
  socket: string,
  steps: readonly InspectStep[],
  { outcome, driver }: Pick<DriverSteps, "outcome" | "driver">,
  next: NextCommands,
): InspectReport {
  const [command] = steps.flatMap((step) => (step.outcome.kind === "failed" ? [step.outcome.command] : []));
  const first = outcome.kind === "ready" ? command : (command ?? next.logs);
  return { socket, driver, outcome, steps, verdict: verdictOf(outcome, steps), next: first };
}

/** The steps have the whole text: here is the state, and where to look. */
function verdictOf(outcome: DriverOutcome, steps: readonly InspectStep[]): string {
  switch (outcome.kind) {
    case "ready":
      return "ready";
    case "notReady":
      return "not ready: the driver responded but is not ready; its log says why";
    case "failed": {
      const failing = steps.filter((step) => step.outcome.kind === "failed");
      const process = failing.flatMap(({ title, outcome: seen }) =>
        title === "process" && seen.kind === "failed" ? seen.details.slice(0, 1) : [],
      );
      const at = failing.find(({ title }) => title !== "process" && title !== "listener");
      return [`failed: ${outcome.reason} at ${at?.title ?? "Probe"}`, ...process.map((how) => `process ${how}`)].join(
        "; ",
      );
    }
    case "notAsked":
      return outcome.message;
    case "notCsi":
      return outcome.what;
  }
  return outcome satisfies never;
}

function notReached(title: string): InspectStep {
  return { title, outcome: { kind: "notReached" }, elapsedMs: undefined };
}
