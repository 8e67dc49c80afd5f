import {
  type CallAnswer,
  type Client,
  isUnimplemented,
  type NoConnection,
  openClient,
  type Rpc,
} from "../../driver/client";
import { type Attempt, diagnose, type Diagnosis } from "../../driver/diagnosis";
import { GET_PLUGIN_INFO, PROBE } from "../../driver/messages";
import {
  CONTROLLER_GET_CAPABILITIES,
  GET_PLUGIN_CAPABILITIES,
  NODE_GET_CAPABILITIES,
  NODE_GET_INFO,
} from "../../driver/node-messages";
import { StatusCode, statusName } from "../../grpc/status";
import { type AskedDriver, attemptOf, hasEnded, outcomeOf, pluginCapabilityNames } from "../questions";
import {
  type DriverOutcome,
  failed,
  type InspectStep,
  isSlow,
  NOT_REACHED,
  passed,
  type StepOutcome,
  step,
} from "../report";
import { type NextCommands, remedyOf } from "../next-commands";
import { quote } from "../../base/text";

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

// Probe first, as in check: it decides the driver's state.
const RPCS: readonly Rpc<Said>[] = [
  describedBy(PROBE, ({ ready }) => ({
    details: [ready ? "ready" : "ready: false: still starting, or waiting for its backend"],
    ready,
  })),
  describedBy(GET_PLUGIN_INFO, ({ name, vendorVersion }) => ({
    details: [`name ${quote(name)}`, `vendor version ${quote(vendorVersion)}`],
    name,
  })),
  describedBy(GET_PLUGIN_CAPABILITIES, (capabilities) => namesOf(pluginCapabilityNames(capabilities))),
  describedBy(NODE_GET_CAPABILITIES, namesOf),
  describedBy(CONTROLLER_GET_CAPABILITIES, namesOf),
];

const NODE_INFO = describedBy(NODE_GET_INFO, ({ nodeId, maxVolumesPerNode, topologySegments }) => ({
  details: [
    `node id ${quote(nodeId)}`,
    `at most ${maxVolumesPerNode === 0 ? "any number of" : maxVolumesPerNode} volumes`,
    ...[...topologySegments].map(([key, value]) => `${quote(key)}=${quote(value)}`),
  ],
}));

function describedBy<Response>(rpc: Rpc<Response>, describe: (response: Response) => Said): Rpc<Said> {
  return { ...rpc, decode: (message) => describe(rpc.decode(message)) };
}

function namesOf(names: readonly string[]): Said {
  return { details: names.length === 0 ? ["none"] : names };
}

function rpcsOf({ nodeInfo }: Pick<DriverStepOptions, "nodeInfo">): readonly Rpc<Said>[] {
  return nodeInfo ? [...RPCS, NODE_INFO] : RPCS;
}

/** The method's name. */
function titleOf({ path }: Rpc<Said>): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The steps of a driver that there is no connection to. */
export function unreachedSteps(options: Pick<DriverStepOptions, "nodeInfo">): readonly InspectStep[] {
  return ["connect", "HTTP/2", ...rpcsOf(options).map(titleOf)].map((title) => step(title, NOT_REACHED));
}

/** Connects once, and asks each RPC over that connection. */
export async function takeDriverSteps(options: DriverStepOptions): Promise<DriverSteps> {
  const { connectPath: socketPath, probeTimeoutMs: timeoutMs } = options;
  options.onWait("HTTP/2");
  const opened = await openClient({ socketPath, timeoutMs });
  if (opened.kind !== "open") return connectFailed(opened, options);
  using client = opened.client;
  return await askAll(client, options);
}

/** The steps of a connection that could not be made. */
export function connectFailed(opened: NoConnection, options: DriverStepOptions): DriverSteps {
  const { failure, elapsedMs, connectMs } = opened;
  const diagnosis = diagnose(opened, attemptOf(options, elapsedMs, PROBE.path));
  const failing = failedBy(diagnosis, options);
  const steps =
    failure.kind === "refused" || failure.kind === "shortage"
      ? [step("connect", failing, elapsedMs)]
      : [step("connect", passed([]), connectMs), step("HTTP/2", failing, elapsedMs - (connectMs ?? 0))];
  const rest = unreachedSteps(options).slice(steps.length);
  return { steps: [...steps, ...rest], outcome: outcomeOf(diagnosis), driver: undefined, slowMs: undefined };
}

/** Asks one RPC after another. One that is not answered in time is the last: a driver that hangs gets no more to do. */
async function askAll(client: Client, options: DriverStepOptions): Promise<DriverSteps> {
  const { connectMs, settingsMs } = client.timing;
  const steps = [step("connect", passed([]), connectMs), step("HTTP/2", passed([]), settingsMs)];
  let probe: Pick<DriverSteps, "outcome" | "slowMs"> | undefined;
  let driver: string | undefined;
  let isOver = false;
  for (const rpc of rpcsOf(options)) {
    const title = titleOf(rpc);
    if (isOver) {
      steps.push(step(title, NOT_REACHED));
      continue;
    }
    options.onWait(title);
    // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
    const { answer, durationMs } = await client.call(rpc);
    // Probe shares its deadline with connecting.
    const elapsedMs = probe === undefined ? connectMs + settingsMs + durationMs : durationMs;
    const attempt = attemptOf(options, elapsedMs, rpc.path);
    steps.push(step(title, stepOf(answer, attempt, options), durationMs));
    const isLate = answer.kind === "answered" && isSlow(elapsedMs, options.probeTimeoutMs);
    probe ??= { outcome: stateOf(answer, attempt), slowMs: isLate ? elapsedMs : undefined };
    if (answer.kind === "answered") driver ??= answer.response.name;
    isOver = hasEnded(answer);
  }
  return { steps, driver, ...(probe ?? NOT_PROBED) };
}

const NOT_PROBED = { outcome: { kind: "notAsked", message: "Probe was not asked" }, slowMs: undefined } as const;

function stepOf(answer: CallAnswer<Said>, attempt: Attempt, options: DriverStepOptions): StepOutcome {
  if (answer.kind === "answered") {
    const { details, ready } = answer.response;
    // As of a driver that answers an error: only its log says more.
    return ready === false ? failed(details, ...remedyOf("rpc_error", options.next, options.uid)) : passed(details);
  }
  if (isUnimplemented(answer)) return { kind: "absent", details: [statusName(StatusCode.unimplemented)] };
  return failedBy(diagnose(answer, attempt), options);
}

/** The driver's state, by Probe's answer. */
function stateOf(answer: CallAnswer<Said>, attempt: Attempt): DriverOutcome {
  if (answer.kind === "answered") return { kind: answer.response.ready === true ? "ready" : "notReady" };
  return outcomeOf(diagnose(answer, attempt));
}

function failedBy({ reason, message }: Diagnosis, { next, uid }: DriverStepOptions): StepOutcome {
  return failed([message], ...remedyOf(reason, next, uid));
}
