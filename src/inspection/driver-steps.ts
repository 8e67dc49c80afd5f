import { type AskedDriver, hasEnded, sceneOf } from "./questions";
import type { CallAnswer, TimedCall } from "../driver/conversation";
import type { ConnectFailure } from "../grpc/connection";
import type { PluginInfo, ProbeResponse } from "../driver/messages";
import type { NodeInfo } from "../driver/node-messages";
import { openSession, type Session } from "../driver/session";
import { statusName } from "../grpc/status";
import { diagnoseCall, diagnoseConnect, type Diagnosis, type Scene } from "../driver/diagnosis";
import {
  type DriverOutcome,
  failed,
  type InspectStep,
  isSlow,
  NOT_REACHED,
  passed,
  type StepOutcome,
  step,
} from "./report";
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
  /** How long it took to be connected and to have Probe answered; undefined where it was not. */
  readonly slowMs: number | undefined;
}

/** What an answer has for a person, and for what comes after. */
interface Said {
  readonly details: readonly string[];
  readonly ready?: boolean;
  readonly name?: string;
}

interface Rpc {
  readonly title: string;
  readonly service: "Identity" | "Node" | "Controller";
  readonly ask: (session: Session) => Promise<TimedCall<Said>>;
}

// Probe first, as in check: it decides the driver's state.
const RPCS: readonly Rpc[] = [
  { service: "Identity", title: "Probe", ask: async (on) => said(await on.probe(), readiness) },
  { service: "Identity", title: "GetPluginInfo", ask: async (on) => said(await on.getPluginInfo(), pluginInfo) },
  {
    service: "Identity",
    title: "GetPluginCapabilities",
    ask: async (on) =>
      said(await on.getPluginCapabilities(), ({ services, volumeExpansion }) =>
        namesOf([...services, ...volumeExpansion.map((name) => `VOLUME_EXPANSION_${name}`)]),
      ),
  },
  { service: "Node", title: "NodeGetCapabilities", ask: async (on) => said(await on.nodeGetCapabilities(), namesOf) },
  {
    service: "Controller",
    title: "ControllerGetCapabilities",
    ask: async (on) => said(await on.controllerGetCapabilities(), namesOf),
  },
];

const NODE_GET_INFO: Rpc = {
  service: "Node",
  title: "NodeGetInfo",
  ask: async (on) => said(await on.nodeGetInfo(), nodeDetails),
};

function said<Response>(
  { answer, durationMs }: TimedCall<Response>,
  describe: (response: Response) => Said,
): TimedCall<Said> {
  if (answer.kind !== "answered") return { answer, durationMs };
  return { answer: { kind: "answered", response: describe(answer.response) }, durationMs };
}

function readiness({ ready }: ProbeResponse): Said {
  return { details: [ready ? "ready" : "ready: false"], ready };
}

function pluginInfo({ name, vendorVersion }: PluginInfo): Said {
  return { details: [`name ${quote(name)}`, `vendor version ${quote(vendorVersion)}`], name };
}

function nodeDetails({ nodeId, maxVolumesPerNode, topologySegments }: NodeInfo): Said {
  const volumes = `at most ${maxVolumesPerNode === 0 ? "any number of" : maxVolumesPerNode} volumes`;
  const segments = [...topologySegments].map(([key, value]) => `${quote(key)}=${quote(value)}`);
  return { details: [`node id ${quote(nodeId)}`, volumes, ...segments] };
}

function namesOf(names: readonly string[]): Said {
  return { details: names.length === 0 ? ["none"] : names };
}

function rpcsOf({ nodeInfo }: Pick<DriverStepOptions, "nodeInfo">): readonly Rpc[] {
  return nodeInfo ? [...RPCS, NODE_GET_INFO] : RPCS;
}

/** The steps of a driver that there is no connection to. */
export function unreachedSteps(options: Pick<DriverStepOptions, "nodeInfo">): readonly InspectStep[] {
  return ["connect", "HTTP/2", ...rpcsOf(options).map(({ title }) => title)].map((title) => step(title, NOT_REACHED));
}

/** Connects once, and asks each RPC over that connection. */
export async function takeDriverSteps(options: DriverStepOptions): Promise<DriverSteps> {
  const { connectPath: socketPath, probeTimeoutMs: timeoutMs, userAgent } = options;
  options.onWait("HTTP/2");
  const opened = await openSession({ socketPath, timeoutMs, userAgent });
  if (opened.kind !== "open") return connectFailed(opened.failure, opened, options);
  using session = opened.session;
  return await askAll(session, options);
}

/** The steps of a connection that could not be made. */
export function connectFailed(
  failure: ConnectFailure,
  { elapsedMs, connectMs }: { readonly elapsedMs: number; readonly connectMs?: number },
  options: DriverStepOptions,
): DriverSteps {
  const diagnosis = diagnoseConnect(failure, sceneOf(options, elapsedMs, "Identity/Probe"));
  const failing = failedBy(diagnosis, options);
  const steps =
    failure.kind === "refused"
      ? [step("connect", failing, elapsedMs)]
      : [step("connect", passed([]), connectMs), step("HTTP/2", failing, elapsedMs - (connectMs ?? 0))];
  const rest = unreachedSteps(options).slice(steps.length);
  return { steps: [...steps, ...rest], outcome: outcomeOf(diagnosis), driver: undefined, slowMs: undefined };
}

/** Asks one RPC after another. One that is not answered in time is the last: a driver that hangs gets no more to do. */
async function askAll(session: Session, options: DriverStepOptions): Promise<DriverSteps> {
  const { connectMs, settingsMs } = session.timing;
  const steps = [step("connect", passed([]), connectMs), step("HTTP/2", passed([]), settingsMs)];
  let probe: Pick<DriverSteps, "outcome" | "slowMs"> | undefined;
  let driver: string | undefined;
  let isOver = false;
  for (const { title, service, ask } of rpcsOf(options)) {
    if (isOver) {
      steps.push(step(title, NOT_REACHED));
      continue;
    }
    options.onWait(title);
    // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
    const { answer, durationMs } = await ask(session);
    // Probe shares its deadline with connecting.
    const elapsedMs = probe === undefined ? connectMs + settingsMs + durationMs : durationMs;
    const scene = sceneOf(options, elapsedMs, `${service}/${title}`);
    steps.push(step(title, stepOf(answer, scene, options), durationMs));
    const isLate = answer.kind === "answered" && isSlow(elapsedMs, options.probeTimeoutMs);
    probe ??= { outcome: stateOf(answer, scene), slowMs: isLate ? elapsedMs : undefined };
    if (answer.kind === "answered") driver ??= answer.response.name;
    isOver = hasEnded(answer);
  }
  return { steps, driver, ...(probe ?? NOT_PROBED) };
}

const NOT_PROBED = { outcome: { kind: "notAsked", message: "Probe was not asked" }, slowMs: undefined } as const;

function stepOf(answer: CallAnswer<Said>, scene: Scene, options: DriverStepOptions): StepOutcome {
  switch (answer.kind) {
    case "answered":
      return passed(answer.response.details);
    case "unimplemented":
      return { kind: "absent", details: [statusName(12)] };
    case "noAnswer":
      return failedBy(diagnoseCall(answer.outcome, scene), options);
    case "notAsked":
      return NOT_REACHED;
  }
  return answer satisfies never;
}

/** The driver's state, by Probe's answer. */
function stateOf(answer: CallAnswer<Said>, scene: Scene): DriverOutcome {
  if (answer.kind === "answered") return { kind: answer.response.ready === true ? "ready" : "notReady" };
  return outcomeOf(diagnoseCall(answer.kind === "notAsked" ? { kind: "closed" } : answer.outcome, scene));
}

function failedBy({ reason, message }: Diagnosis, { next, uid }: DriverStepOptions): StepOutcome {
  return failed([message], ...remedyOf(reason, next, uid));
}

function outcomeOf({ reason, message }: Diagnosis): DriverOutcome {
  return { kind: "failed", reason, message };
}
