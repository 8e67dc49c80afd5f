import { errorText } from "../base/errors";
import {
  type CallAnswer,
  type Client,
  isUnimplemented,
  noConnection,
  openClient,
  type TimedCall,
} from "../driver/client";
import { type Attempt, diagnose, diagnoseInternal, type Diagnosis } from "../driver/diagnosis";
import { GET_PLUGIN_INFO, PROBE, type ProbeResponse } from "../driver/messages";
import {
  CONTROLLER_GET_CAPABILITIES,
  GET_PLUGIN_CAPABILITIES,
  NODE_GET_CAPABILITIES,
  type PluginCapabilities,
} from "../driver/node-messages";
import { lookAtSocketFile } from "../driver/socket-file";
import { pinSocket } from "../node/pinned-socket";
import type { CapabilityReport, DriverOutcome } from "./report";

export interface QuestionOptions extends AskedDriver {
  /** `device:inode` of the socket at `connectPath`. Another socket in its place is not asked. */
  readonly fileId: string;
  /** Whether capabilities are asked for too. */
  readonly wide: boolean;
}

/** What one driver said of itself. */
export interface DriverAnswers {
  readonly outcome: Exclude<DriverOutcome, { readonly kind: "notCsi" }>;
  /** What it seems to be, where it does not answer as a CSI driver. */
  readonly notCsi: string | undefined;
  /** What it calls itself. */
  readonly name: string | undefined;
  readonly vendorVersion: string | undefined;
  readonly connectMs: number | undefined;
  readonly callMs: number | undefined;
  readonly capabilities: CapabilityReport | undefined;
}

/**
 * Asks one driver over one connection: Probe first, because its state matters most, then its name and its capabilities. After a
 * call without an answer, nothing more is asked. Never rejects.
 */
export async function questionDriver(options: QuestionOptions): Promise<DriverAnswers> {
  const { connectPath, fileId, socketPath } = options;
  const pinned = pinSocket(connectPath, fileId);
  switch (pinned.kind) {
    case "pinned": {
      using socket = pinned.socket;
      return await askOnce({ ...options, connectPath: socket.path });
    }
    case "replaced":
      return failed({
        reason: "socket_missing",
        message: `no such file: ${socketPath} was replaced just now; try again`,
      });
    case "failed":
      return failed(diagnose(noConnection(pinned.code), attemptOf(options, 0, PROBE.path)));
  }
  return pinned satisfies never;
}

async function askOnce(options: QuestionOptions): Promise<DriverAnswers> {
  const { connectPath: socketPath, probeTimeoutMs: timeoutMs } = options;
  try {
    const opened = await openClient({ socketPath, timeoutMs });
    if (opened.kind !== "open") return failed(diagnose(opened, attemptOf(options, opened.elapsedMs, PROBE.path)));
    using client = opened.client;
    return await questionClient(client, options);
  } catch (error) {
    return failed(diagnoseInternal(errorText(error), options.socketPath));
  }
}

/** What is known of a driver that has answered nothing, but for its state. */
export const NOTHING_TOLD = {
  notCsi: undefined,
  name: undefined,
  vendorVersion: undefined,
  connectMs: undefined,
  callMs: undefined,
  capabilities: undefined,
} as const;

async function questionClient(client: Client, options: QuestionOptions): Promise<DriverAnswers> {
  const connectMs = client.timing.connectMs + client.timing.settingsMs;
  const probe = await client.call(PROBE);
  const timing = { connectMs, callMs: probe.durationMs };
  const probed = { ...judgeProbe(probe, connectMs, options), ...timing };
  if (hasEnded(probe.answer)) return probed;
  const info = await client.call(GET_PLUGIN_INFO);
  const details = answered(info.answer);
  const isNoCsi = isUnimplemented(probe.answer) && isUnimplemented(info.answer);
  return {
    ...probed,
    // Every driver has Identity, with Probe and GetPluginInfo (CSI specification, "RPC Interface").
    notCsi: isNoCsi ? "a gRPC server without csi.v1.Identity" : probed.notCsi,
    name: details?.name || undefined,
    vendorVersion: details?.vendorVersion || undefined,
    capabilities: options.wide && !hasEnded(info.answer) ? await questionCapabilities(client) : undefined,
  };
}

function judgeProbe(
  { answer, durationMs }: TimedCall<ProbeResponse>,
  connectMs: number,
  options: QuestionOptions,
): DriverAnswers {
  if (answer.kind === "answered")
    return { ...NOTHING_TOLD, outcome: { kind: answer.response.ready ? "ready" : "notReady" } };
  return failed(diagnose(answer, attemptOf(options, connectMs + durationMs, PROBE.path)));
}

/** Whether nothing more should be asked. A status is an answer: the next RPC may succeed. */
export function hasEnded(answer: CallAnswer<unknown>): boolean {
  return answer.kind !== "answered" && answer.kind !== "status";
}

/** What is not a gRPC server is not a failed driver, unless it is registered as one. */
export function failed(diagnosis: Diagnosis): DriverAnswers {
  const notCsi = diagnosis.reason === "not_grpc" ? diagnosis.message : undefined;
  return { ...NOTHING_TOLD, outcome: outcomeOf(diagnosis), notCsi };
}

async function questionCapabilities(client: Client): Promise<CapabilityReport> {
  const plugin = await client.call(GET_PLUGIN_CAPABILITIES);
  const node = hasEnded(plugin.answer) ? undefined : await client.call(NODE_GET_CAPABILITIES);
  const controller =
    node === undefined || hasEnded(node.answer) ? undefined : await client.call(CONTROLLER_GET_CAPABILITIES);
  return {
    plugin: plugin.answer.kind === "answered" ? pluginCapabilityNames(plugin.answer.response) : undefined,
    node: node && answered(node.answer),
    controller: controller && answered(controller.answer),
  };
}

/** Without the prefix, `ONLINE` would say nothing. */
export function pluginCapabilityNames({ services, volumeExpansion }: PluginCapabilities): readonly string[] {
  return [...services, ...volumeExpansion.map((name) => `VOLUME_EXPANSION_${name}`)];
}

function answered<Response>(answer: CallAnswer<Response>): Response | undefined {
  return answer.kind === "answered" ? answer.response : undefined;
}

/** A driver, and who asks it. */
export interface AskedDriver extends Asker {
  /** What connect(2) gets. */
  readonly connectPath: string;
  /** The path in messages: as the kubelet knows it. */
  readonly socketPath: string;
}

/** Who asks a driver, and for how long. */
export interface Asker {
  /** For connecting and Identity/Probe, as the sidecar's `--probe-timeout`. */
  readonly probeTimeoutMs: number;
  /** Our own effective user id. */
  readonly uid: number;
}

/** Nothing is known of a driver that a fault of ours kept from being asked. */
export function outcomeOf({
  reason,
  message,
  notAsked,
}: Diagnosis): Extract<DriverOutcome, { kind: "failed" | "notAsked" }> {
  return notAsked ? { kind: "notAsked", message } : { kind: "failed", reason, message };
}

/** What was tried, for a diagnosis. */
export function attemptOf({ socketPath, connectPath, uid }: AskedDriver, elapsedMs: number, rpcPath: string): Attempt {
  return { socketPath, rpcPath, uid, elapsedMs, socketFile: () => lookAtSocketFile(connectPath) };
}
