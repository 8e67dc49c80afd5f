import { errorText } from "../base/errors";
import { quote } from "../base/text";
import {
  type CallAnswer,
  type Client,
  type ConnectTiming,
  isUnimplemented,
  type NoConnection,
  noConnection,
  openClient,
  type Rpc,
} from "../driver/client";
import { type Attempt, diagnose, diagnoseInternal, type Diagnosis } from "../driver/diagnosis";
import { GET_PLUGIN_INFO, PROBE } from "../driver/messages";
import {
  CONTROLLER_GET_CAPABILITIES,
  GET_PLUGIN_CAPABILITIES,
  NODE_GET_CAPABILITIES,
  NODE_GET_INFO,
} from "../driver/node-messages";
import { lookAtSocketFile } from "../driver/socket-file";
import { pinSocket } from "../node/pinned-socket";
import { type CapabilityReport, type DriverOutcome, NOT_READY } from "./report";

export interface Asker {
  /** For connecting and Identity/Probe, as the sidecar's `--probe-timeout`. */
  readonly probeTimeoutMs: number;
}

export interface AskedDriver extends Asker {
  /** What connect(2) gets. */
  readonly connectPath: string;
  /** `device:inode` of the socket at `connectPath`. Another socket in its place is not asked. */
  readonly fileId: string;
  /** The path in messages: as the kubelet knows it. */
  readonly socketPath: string;
}

/** What an answer says: in words, and what is known by it. */
export interface Said {
  readonly details: readonly string[];
  readonly ready?: boolean;
  readonly name?: string;
  readonly vendorVersion?: string;
  readonly capabilities?: readonly string[];
}

/** The RPCs to ask, in order. Probe is the first, because the driver's state matters most. */
export type Questions = readonly [probe: Rpc<Said>, ...Rpc<Said>[]];

export const BASIC_QUESTIONS: Questions = [
  describedBy(PROBE, ({ ready }) => ({
    details: [ready ? "ready" : NOT_READY],
    ready,
  })),
  describedBy(GET_PLUGIN_INFO, (info) => ({
    details: [`name ${quote(info.name)}`, `vendor version ${quote(info.vendorVersion)}`],
    ...info,
  })),
];

export const ALL_QUESTIONS: Questions = [
  ...BASIC_QUESTIONS,
  // Without the prefix, `ONLINE` would say nothing.
  describedBy(GET_PLUGIN_CAPABILITIES, ({ services, volumeExpansion }) =>
    namesOf([...services, ...volumeExpansion.map((name) => `VOLUME_EXPANSION_${name}`)]),
  ),
  describedBy(NODE_GET_CAPABILITIES, namesOf),
  describedBy(CONTROLLER_GET_CAPABILITIES, namesOf),
];

/** Some drivers write to the API server or log in to an array when they are asked this. */
export const NODE_INFO = describedBy(NODE_GET_INFO, ({ nodeId, maxVolumesPerNode, topologySegments }) => ({
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
  return { details: names.length === 0 ? ["none"] : names, capabilities: names };
}

/** The method's name. */
export function titleOf({ path }: Rpc<unknown>): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What came of asking a driver. After a call without an answer, nothing more is asked. */
export type Conversation =
  | { readonly kind: "unopened"; readonly opened: NoConnection; readonly diagnosis: Diagnosis }
  | { readonly kind: "open"; readonly timing: ConnectTiming; readonly calls: readonly [probe: Call, ...Call[]] };

export interface Call {
  readonly title: string;
  readonly answer: CallAnswer<Said>;
  readonly durationMs: number;
  readonly attempt: Attempt;
}

/** Asks a driver over one connection. `onWait` is called before each wait, with what is waited for. */
export async function converse(
  driver: AskedDriver,
  questions: Questions,
  onWait: (what: string) => void = () => {},
): Promise<Conversation> {
  const { connectPath, fileId, socketPath, probeTimeoutMs: timeoutMs } = driver;
  const pinned = pinSocket(connectPath, fileId);
  if (pinned.kind === "replaced") {
    const message = `no such file: ${socketPath} was replaced just now; try again`;
    return { kind: "unopened", opened: noConnection("ENOENT"), diagnosis: { reason: "socket_missing", message } };
  }
  if (pinned.kind === "failed") return unopened(noConnection(pinned.code), driver);
  using socket = pinned.socket;
  const held = { ...driver, connectPath: socket.path };
  onWait("HTTP/2");
  const opened = await openClient({ socketPath: socket.path, timeoutMs });
  if (opened.kind !== "open") return unopened(opened, held);
  using client = opened.client;
  return { kind: "open", timing: client.timing, calls: await callEach(client, questions, held, onWait) };
}

function unopened(opened: NoConnection, driver: AskedDriver): Conversation {
  return { kind: "unopened", opened, diagnosis: diagnose(opened, attemptOf(driver, opened.elapsedMs, PROBE.path)) };
}

async function callEach(
  client: Client,
  [probe, ...more]: Questions,
  driver: AskedDriver,
  onWait: (what: string) => void,
): Promise<readonly [Call, ...Call[]]> {
  const { connectMs, settingsMs } = client.timing;
  const call = async (rpc: Rpc<Said>, beforeMs: number): Promise<Call> => {
    const title = titleOf(rpc);
    onWait(title);
    const { answer, durationMs } = await client.call(rpc);
    return { title, answer, durationMs, attempt: attemptOf(driver, beforeMs + durationMs, rpc.path) };
  };
  // It shares its deadline with connecting.
  const calls: [Call, ...Call[]] = [await call(probe, connectMs + settingsMs)];
  for (const rpc of more) {
    if (calls.some(({ answer }) => hasEnded(answer))) break;
    // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
    calls.push(await call(rpc, 0));
  }
  return calls;
}

/** Whether nothing more should be asked. A status is an answer: the next RPC may succeed. */
export function hasEnded(answer: CallAnswer<unknown>): boolean {
  return answer.kind !== "answered" && answer.kind !== "status";
}

/** What was tried, for a diagnosis. */
export function attemptOf(
  { socketPath, connectPath }: Omit<AskedDriver, "fileId">,
  elapsedMs: number,
  rpcPath: string,
): Attempt {
  return { socketPath, rpcPath, elapsedMs, socketFile: () => lookAtSocketFile(connectPath) };
}

/** What one driver said of itself; undefined is what it has not told. */
export interface DriverAnswers {
  readonly outcome: Exclude<DriverOutcome, { readonly kind: "notCsi" }>;
  /** What it seems to be, where it does not answer as a CSI driver. */
  readonly notCsi?: string | undefined;
  /** What it calls itself. */
  readonly name?: string | undefined;
  readonly vendorVersion?: string | undefined;
  readonly connectMs?: number | undefined;
  readonly callMs?: number | undefined;
  readonly capabilities?: CapabilityReport | undefined;
}

/** Asks one driver for what `list` shows; `wide` with its capabilities. Never rejects. */
export async function questionDriver(driver: AskedDriver & { readonly wide: boolean }): Promise<DriverAnswers> {
  try {
    return answersOf(await converse(driver, driver.wide ? ALL_QUESTIONS : BASIC_QUESTIONS));
  } catch (error) {
    return failedAnswers(diagnoseInternal(errorText(error), driver.socketPath));
  }
}

export function answersOf(conversation: Conversation): DriverAnswers {
  if (conversation.kind === "unopened") return failedAnswers(conversation.diagnosis);
  const { timing, calls } = conversation;
  const [probe, info, plugin, node, controller] = calls;
  const state = { ...stateOf(probe.answer, probe.attempt), callMs: probe.durationMs };
  return {
    ...(info === undefined ? state : withInfo(state, probe.answer, info.answer)),
    connectMs: timing.connectMs + timing.settingsMs,
    capabilities: plugin && {
      plugin: answered(plugin.answer)?.capabilities,
      node: node && answered(node.answer)?.capabilities,
      controller: controller && answered(controller.answer)?.capabilities,
    },
  };
}

/** The driver's state, by Probe's answer. */
export function stateOf(probe: CallAnswer<Pick<Said, "ready">>, attempt: Attempt): DriverAnswers {
  if (probe.kind !== "answered") return failedAnswers(diagnose(probe, attempt));
  return { outcome: { kind: probe.response.ready === true ? "ready" : "notReady" } };
}

/** Adds what came of GetPluginInfo. */
export function withInfo(
  answers: DriverAnswers,
  probe: CallAnswer<unknown>,
  info: CallAnswer<Pick<Said, "name" | "vendorVersion">>,
): DriverAnswers {
  const told = answered(info);
  // Every driver has Identity, with Probe and GetPluginInfo (CSI specification, "RPC Interface").
  const isNoCsi = isUnimplemented(probe) && isUnimplemented(info);
  return {
    ...answers,
    notCsi: isNoCsi ? "a gRPC server without csi.v1.Identity" : answers.notCsi,
    name: told?.name || undefined,
    vendorVersion: told?.vendorVersion || undefined,
  };
}

function answered<Response>(answer: CallAnswer<Response>): Response | undefined {
  return answer.kind === "answered" ? answer.response : undefined;
}

/**
 * What is not a gRPC server is not a failed driver, unless it is registered as one. Nothing is known of a driver that a
 * fault of ours kept from being asked.
 */
export function failedAnswers({ reason, message, notAsked }: Diagnosis): DriverAnswers {
  return {
    outcome: notAsked ? { kind: "notAsked", message } : { kind: "failed", reason, message },
    notCsi: reason === "not_grpc" ? message : undefined,
  };
}

/** How long connecting and Probe took, where it was more than half of the timeout: with more load the driver fails. */
export function slowMs({ outcome, connectMs = 0, callMs = 0 }: DriverAnswers, timeoutMs: number): number | undefined {
  return outcome.kind !== "failed" && connectMs + callMs > timeoutMs / 2 ? connectMs + callMs : undefined;
}
