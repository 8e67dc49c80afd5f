import { type DriverAnswers, slowMs } from "./questions";
import { type DriverStepOptions, type DriverSteps, takeDriverSteps, unreachedSteps } from "./steps/driver";
import { type ListenerSteps, takeListenerSteps } from "./steps/listener";
import type { NodeView } from "./node-view";
import { readSecurityLabel } from "../processes/processes";
import { type NextCommands, nextCommands } from "./next-commands";
import { takePathSteps } from "./steps/path";
import { type InspectReport, type InspectStep, NOT_REACHED, NOT_READY, step } from "./report";
import { formatDuration } from "../base/duration";
import type { Invocation } from "../base/shell-command";

export interface InspectionOptions extends Omit<DriverStepOptions, "connectPath" | "fileId" | "next"> {
  readonly node: NodeView;
  readonly self: Invocation;
  /** Whether the path was found by a driver's name: nobody has typed it. */
  readonly byName: boolean;
  /** The steps of a connection that is open already, for whoever must not make another one. */
  readonly takeOwnSteps?: (options: DriverStepOptions) => DriverSteps;
}

/**
 * Inspects one driver: first its path, its file, the process that listens and that process's state, all without a
 * connection; then over one connection HTTP/2 and each RPC. Steps that need one that failed are not reached.
 */
export async function inspectDriver(options: InspectionOptions): Promise<InspectReport> {
  const { node, self, socketPath, byName } = options;
  const unknown = nextCommands(node.root, self, {});
  const path = takePathSteps(node, socketPath, { next: unknown, byName });
  if (path.kind === "ended") {
    const rest = [step("listener", NOT_REACHED), step("process", NOT_REACHED), ...unreachedSteps(options)];
    const answers = { outcome: path.outcome };
    return conclude(options, { steps: [...path.steps, ...rest], answers }, unknown);
  }
  const { outerPath, file } = path.socket;
  options.onWait("the process that listens");
  const socket = { path: path.socket.path, outerPath, fileId: file.fileId, ownerUid: file.uid };
  const listener = await takeListenerSteps(node, socket);
  const next = nextCommands(node.root, self, listener);
  const asking = { ...options, next, connectPath: outerPath, fileId: file.fileId };
  const driver = options.takeOwnSteps?.(asking) ?? (await takeDriverSteps(asking));
  const { answers } = driver;
  const labels = labelSteps(answers, listener, node.procDir);
  const steps = [...path.steps, ...confirmed(listener, answers), ...labels, ...driver.steps];
  return conclude(options, { steps, answers }, next);
}

/**
 * The steps of the listener, unless connect(2) contradicts them, which goes by the file itself: a driver may rename its
 * socket, and root's processes may have been handed a socket that was bound to this path over another file.
 */
function confirmed({ steps, listens, pid }: ListenerSteps, { outcome }: DriverAnswers): readonly InspectStep[] {
  const connects = isListenedOn(outcome);
  if (listens === undefined || connects === undefined || listens === connects) return steps;
  const why = connects
    ? "somebody accepts connections, but no process is seen that was bound to this path"
    : `pid ${pid} listens on a socket of this path, but not on this file`;
  return [step("listener", { kind: "absent", details: [`cannot be told: ${why}`] }), step("process", NOT_REACHED)];
}

/** Undefined if it is not known. */
function isListenedOn(outcome: DriverAnswers["outcome"]): boolean | undefined {
  if (outcome.kind === "notAsked") return undefined;
  if (outcome.kind !== "failed") return true;
  if (outcome.reason === "nobody_listens") return false;
  return ["hung", "closed", "rpc_error", "not_grpc"].includes(outcome.reason) ? true : undefined;
}

/** If connect(2) is refused although uid and mode allow it, a security module has refused it. */
function labelSteps({ outcome }: DriverAnswers, listener: ListenerSteps, procDir: string): readonly InspectStep[] {
  if (outcome.kind !== "failed" || outcome.reason !== "permission_denied") return [];
  const ours = readSecurityLabel(procDir, "self");
  const theirs = listener.pid === undefined ? undefined : readSecurityLabel(procDir, listener.pid);
  const details = [
    ...(ours === undefined ? [] : [`we are ${ours}`]),
    ...(theirs === undefined ? [] : [`who listens is ${theirs}`]),
  ];
  return details.length === 0 ? [] : [step("labels", { kind: "absent", details })];
}

function conclude(
  { socketPath, probeTimeoutMs }: InspectionOptions,
  { steps, answers }: DriverSteps,
  next: NextCommands,
): InspectReport {
  const { outcome } = answers;
  const tookMs = slowMs(answers, probeTimeoutMs);
  const [command] = steps.flatMap((each) => (each.outcome.kind === "failed" ? [each.outcome.command] : []));
  return {
    socket: socketPath,
    driver: answers.name,
    outcome,
    slow: tookMs !== undefined,
    steps,
    verdict: verdictOf(outcome, steps) + slowText(tookMs, probeTimeoutMs),
    next: outcome.kind === "ready" ? command : (command ?? next.logs),
  };
}

/** The state, and the step to look at, which has the whole text. */
function verdictOf(outcome: DriverAnswers["outcome"], steps: readonly InspectStep[]): string {
  switch (outcome.kind) {
    case "ready":
      return "ready";
    case "notReady":
      return `not ready: Probe answered ${NOT_READY}`;
    case "failed": {
      const failing = steps.flatMap(({ title, outcome: seen }) => (seen.kind === "failed" ? [{ title, ...seen }] : []));
      const at = failing.find(({ title }) => title !== "process" && title !== "listener")?.title ?? "Probe";
      const process = failing.find(({ title }) => title === "process")?.details[0];
      return `failed: ${outcome.reason} at ${at}${process === undefined ? "" : `; process ${process}`}`;
    }
    case "notAsked":
      return outcome.message;
  }
  return outcome satisfies never;
}

function slowText(tookMs: number | undefined, timeoutMs: number): string {
  if (tookMs === undefined) return "";
  return `; slow: it took ${formatDuration(Math.round(tookMs / 10) * 10)} of ${formatDuration(timeoutMs)}`;
}
