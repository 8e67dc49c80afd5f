import { errorText } from "../base/errors";
import type { CallAnswer, TimedCall } from "../driver/conversation";
import {
  diagnoseCall,
  diagnoseConnect,
  diagnoseInternal,
  type Diagnosis,
  type Scene,
  SHORTAGES,
} from "../driver/diagnosis";
import type { ProbeResponse } from "../driver/messages";
import { openSession, type Session } from "../driver/session";
import type { SocketFile } from "../driver/socket-file";
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
  const { connectPath, fileId, socketPath, probeTimeoutMs: timeoutMs, userAgent } = options;
  const pinned = pinSocket(connectPath, fileId);
  if (pinned.kind === "failed") return notAsked(pinned.code, socketPath);
  if (pinned.kind === "replaced")
    return failed({
      reason: "socket_missing",
      message: `no such file: ${socketPath} was replaced just now; try again`,
    });
  using socket = pinned.socket;
  try {
    const opened = await openSession({ socketPath: socket.path, timeoutMs, userAgent });
    if (opened.kind === "open") {
      using session = opened.session;
      return await questionSession(session, options);
    }
    const { failure } = opened;
    if (failure.kind === "refused" && SHORTAGES.has(failure.code)) return notAsked(failure.code, socketPath);
    const asked = { ...options, connectPath: socket.path };
    return failed(diagnoseConnect(failure, sceneOf(asked, opened.elapsedMs, PROBE)));
  } catch (error) {
    return failed(diagnoseInternal(errorText(error)));
  }
}

const PROBE = "Identity/Probe";

const NOTHING = {
  notCsi: undefined,
  name: undefined,
  vendorVersion: undefined,
  connectMs: undefined,
  callMs: undefined,
  capabilities: undefined,
} as const;

async function questionSession(session: Session, options: QuestionOptions): Promise<DriverAnswers> {
  const connectMs = session.timing.connectMs + session.timing.settingsMs;
  const probe = await session.probe();
  const timing = { connectMs, callMs: probe.durationMs };
  const probed = { ...judgeProbe(probe, connectMs, options), ...timing };
  if (hasEnded(probe.answer)) return probed;
  const info = await session.getPluginInfo();
  const details = answered(info.answer);
  const isNoCsi = probe.answer.kind === "unimplemented" && info.answer.kind === "unimplemented";
  return {
    ...probed,
    // Every driver has Identity, with Probe and GetPluginInfo (CSI specification, "RPC Interface").
    notCsi: isNoCsi ? "a gRPC server without csi.v1.Identity" : probed.notCsi,
    name: details?.name || undefined,
    vendorVersion: details?.vendorVersion || undefined,
    capabilities: options.wide && !hasEnded(info.answer) ? await questionCapabilities(session) : undefined,
  };
}

function judgeProbe(
  { answer, durationMs }: TimedCall<ProbeResponse>,
  connectMs: number,
  options: QuestionOptions,
): DriverAnswers {
  if (answer.kind === "answered")
    return { ...NOTHING, outcome: { kind: answer.response.ready ? "ready" : "notReady" } };
  const outcome = answer.kind === "notAsked" ? ({ kind: "closed" } as const) : answer.outcome;
  return failed(diagnoseCall(outcome, sceneOf(options, connectMs + durationMs, PROBE)));
}

/** Whether nothing more should be asked. A status is an answer: the next RPC may succeed. */
export function hasEnded(answer: CallAnswer<unknown>): boolean {
  return answer.kind === "notAsked" || (answer.kind === "noAnswer" && answer.outcome.kind !== "status");
}

/** A fault of this process, which says nothing of the driver. */
function notAsked(code: string, socketPath: string): DriverAnswers {
  const message = SHORTAGES.has(code)
    ? `not asked: this process is short of file descriptors or memory (${code}); raise its limits, such as ulimit -n`
    : `not asked: the file system fails with ${code} at ${socketPath}`;
  return { ...NOTHING, outcome: { kind: "notAsked", message } };
}

/** What is not a gRPC server is not a failed driver, unless it is registered as one. */
function failed({ reason, message }: Diagnosis): DriverAnswers {
  const notCsi = reason === "not_grpc" ? message : undefined;
  return { ...NOTHING, outcome: { kind: "failed", reason, message }, notCsi };
}

async function questionCapabilities(session: Session): Promise<CapabilityReport> {
  const plugin = await session.getPluginCapabilities();
  const node = hasEnded(plugin.answer) ? undefined : await session.nodeGetCapabilities();
  const controller =
    node === undefined || hasEnded(node.answer) ? undefined : await session.controllerGetCapabilities();
  const { services = [], volumeExpansion = [] } = answered(plugin.answer) ?? {};
  return {
    plugin: plugin.answer.kind === "answered" ? [...services, ...volumeExpansion] : undefined,
    node: node && answered(node.answer),
    controller: controller && answered(controller.answer),
  };
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
  readonly userAgent: string;
  /** Our own effective user id. */
  readonly uid: number;
  readonly lookAtSocketFile: (path: string) => SocketFile;
}

/** What was tried, for a diagnosis. */
export function sceneOf(driver: AskedDriver, elapsedMs: number, rpcName: string): Scene {
  const { socketPath, connectPath, uid } = driver;
  return { socketPath, rpcName, uid, elapsedMs, socketFile: () => driver.lookAtSocketFile(connectPath) };
}
