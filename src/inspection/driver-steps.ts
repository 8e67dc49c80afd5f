import { type AskedDriver, sceneOf } from "./questions";
import type { CallAnswer, TimedCall } from "../driver/conversation";
import type { ConnectFailure } from "../grpc/connection";
import { openSession, type Session } from "../driver/session";
import { statusName } from "../grpc/status";
import { diagnoseCall, diagnoseConnect, type Diagnosis } from "../driver/diagnosis";
import type { DriverOutcome, InspectStep, StepOutcome } from "./report";
import { type NextCommands, remedyOf } from "./next-commands";
import { quote } from "../base/text";

export interface DriverStepOptions extends AskedDriver {
  /** Whether NodeGetInfo is asked for: some drivers write to the API server or log in to an array in it. */
  readonly nodeInfo: boolean;
  readonly next: NextCommands;
  /** Called before each wait, with what is waited for. */
  readonly onWait: (what: string) => void;
}

/** What asking a driver step by step came to. */
export interface DriverSteps {
  readonly steps: readonly InspectStep[];
  readonly outcome: DriverOutcome;
  readonly driver: string | undefined;
}

/** The RPCs, in the order of asking, by the names that the steps have. */
const RPCS = [
  "Probe",
  "GetPluginInfo",
  "GetPluginCapabilities",
  "NodeGetCapabilities",
  "ControllerGetCapabilities",
] as const;

/**
 * Connects once, and asks each RPC over that connection. Where one is not answered in time, the rest is not asked: a driver
 * that hangs gets no more to do.
 */
export async function takeDriverSteps(options: DriverStepOptions): Promise<DriverSteps> {
  const { connectPath: socketPath, probeTimeoutMs: timeoutMs, userAgent } = options;
  options.onWait("HTTP/2");
  const opened = await openSession({ socketPath, timeoutMs, userAgent });
  if (opened.kind === "open") {
    using session = opened.session;
    return await askAll(session, options);
  }
  const { failure, elapsedMs, connectMs } = opened;
  const diagnosis = diagnoseConnect(failure, sceneOf(options, elapsedMs, "Identity/Probe"));
  const failing = failedStep(diagnosis, options);
  const steps: readonly InspectStep[] = isRefusal(failure)
    ? [{ title: "connect", outcome: failing, elapsedMs }, notReached("HTTP/2")]
    : [
        passed("connect", [], connectMs),
        { title: "HTTP/2", outcome: failing, elapsedMs: elapsedMs - (connectMs ?? 0) },
      ];
  return { steps: [...steps, ...titlesOf(options).map(notReached)], outcome: outcomeOf(diagnosis), driver: undefined };
}

function isRefusal({ kind }: ConnectFailure): boolean {
  return kind === "refused";
}

async function askAll(session: Session, options: DriverStepOptions): Promise<DriverSteps> {
  const { connectMs, settingsMs } = session.timing;
  const asking = createAsking(options, connectMs + settingsMs);
  // First, as check does: the state is what it says.
  const probe = await asking.ask(
    "Probe",
    () => session.probe(),
    ({ ready }) => [ready ? "ready" : "ready: false"],
  );
  const info = await asking.ask(
    "GetPluginInfo",
    () => session.getPluginInfo(),
    ({ name, vendorVersion }) => [`name ${quote(name)}`, `vendor version ${quote(vendorVersion)}`],
  );
  await asking.ask(
    "GetPluginCapabilities",
    () => session.getPluginCapabilities(),
    (capabilities) =>
      namesOf([...capabilities.services, ...capabilities.volumeExpansion.map((name) => `VOLUME_EXPANSION_${name}`)]),
  );
  await asking.ask("NodeGetCapabilities", () => session.nodeGetCapabilities(), namesOf);
  await asking.ask("ControllerGetCapabilities", () => session.controllerGetCapabilities(), namesOf);
  if (options.nodeInfo)
    await asking.ask(
      "NodeGetInfo",
      () => session.nodeGetInfo(),
      ({ nodeId, maxVolumesPerNode, topologySegments }) => [
        `node id ${quote(nodeId)}`,
        `at most ${maxVolumesPerNode === 0 ? "any number of" : maxVolumesPerNode} volumes`,
        ...[...topologySegments].map(([key, value]) => `${quote(key)}=${quote(value)}`),
      ],
    );
  return {
    steps: [passed("connect", [], connectMs), passed("HTTP/2", [], settingsMs), ...asking.steps],
    outcome: stateOf(probe, asking.failure()),
    driver: info?.name,
  };
}

interface Asked {
  readonly ready: boolean;
}

/** The driver's state is what Probe says; without its answer, why there is none. */
function stateOf(probe: Asked | undefined, failure: Diagnosis | undefined): DriverOutcome {
  if (probe !== undefined) return { kind: probe.ready ? "ready" : "notReady" };
  if (failure !== undefined) return outcomeOf(failure);
  return { kind: "failed", reason: "rpc_error", message: "Identity/Probe was not answered" };
}

/**
 * Asks one RPC after another, until one is not answered at all.
 *
 * @param connectingMs what connecting took: Probe, the first, shares its deadline
 */
function createAsking(options: DriverStepOptions, connectingMs: number) {
  const steps: InspectStep[] = [];
  let failure: Diagnosis | undefined;
  let over = false;

  async function ask<Response>(
    title: string,
    call: () => Promise<TimedCall<Response>>,
    describe: (response: Response) => readonly string[],
  ): Promise<Response | undefined> {
    if (over) {
      steps.push(notReached(title));
      return undefined;
    }
    options.onWait(title);
    const { answer, durationMs } = await call();
    steps.push({ title, outcome: judge(title, answer, durationMs, describe), elapsedMs: durationMs });
    return answer.kind === "answered" ? answer.response : undefined;
  }

  function judge<Response>(
    title: string,
    answer: CallAnswer<Response>,
    durationMs: number,
    describe: (response: Response) => readonly string[],
  ): StepOutcome {
    const elapsedMs = title === "Probe" ? connectingMs + durationMs : durationMs;
    switch (answer.kind) {
      case "answered":
        return { kind: "passed", details: describe(answer.response) };
      case "unimplemented":
        if (title === "Probe") note(diagnoseCall(answer.outcome, sceneOf(options, elapsedMs, rpcName(title))));
        return { kind: "absent", details: [statusName(12)] };
      case "noAnswer": {
        const diagnosis = diagnoseCall(answer.outcome, sceneOf(options, elapsedMs, rpcName(title)));
        // A status is an answer: the next RPC may have another.
        over = answer.outcome.kind !== "status";
        if (over || title === "Probe") note(diagnosis);
        return failedStep(diagnosis, options);
      }
      case "notAsked":
        over = true;
        return { kind: "notReached" };
    }
    return answer satisfies never;
  }

  function note(diagnosis: Diagnosis): void {
    // Probe's counts, whatever becomes of the RPCs after it.
    failure ??= diagnosis;
  }

  return { ask, steps, failure: () => failure };
}

function rpcName(title: string): string {
  const service = title.startsWith("Node") ? "Node" : title.startsWith("Controller") ? "Controller" : "Identity";
  return `${service}/${title}`;
}

function namesOf(names: readonly string[]): readonly string[] {
  return names.length === 0 ? ["none"] : names;
}

/** The RPCs that are asked, in their order. */
export function titlesOf({ nodeInfo }: Pick<DriverStepOptions, "nodeInfo">): readonly string[] {
  return [...RPCS, ...(nodeInfo ? ["NodeGetInfo"] : [])];
}

function passed(title: string, details: readonly string[], elapsedMs: number | undefined): InspectStep {
  return { title, outcome: { kind: "passed", details }, elapsedMs };
}

function notReached(title: string): InspectStep {
  return { title, outcome: { kind: "notReached" }, elapsedMs: undefined };
}

function failedStep({ reason, message }: Diagnosis, { next, uid }: DriverStepOptions): StepOutcome {
  const [remedy, command] = remedyOf(reason, next, uid);
  return { kind: "failed", details: [message], remedy, command };
}

function outcomeOf({ reason, message }: Diagnosis): DriverOutcome {
  return { kind: "failed", reason, message };
}
