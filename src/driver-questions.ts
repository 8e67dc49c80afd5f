import { type AskedDriver, sceneOf } from "./asked-driver";
import type { CallAnswer, TimedCall, Unanswered } from "./csi/conversation";
import type { PluginInfo } from "./csi/messages";
import { openSession, type Session } from "./csi/session";
import { diagnoseCall, diagnoseConnect, diagnoseInternal, type Diagnosis } from "./diagnosis";
import { errorText } from "./errors";
import type { CapabilityReport, DriverOutcome } from "./report";

export interface QuestionOptions extends AskedDriver {
  /** Whether capabilities are asked for too. */
  readonly wide: boolean;
}

/** What one driver said of itself. */
export interface DriverAnswers {
  readonly outcome: DriverOutcome;
  readonly driver: string | undefined;
  readonly vendorVersion: string | undefined;
  readonly connectMs: number | undefined;
  readonly callMs: number | undefined;
  readonly capabilities: CapabilityReport | undefined;
}

/** What a driver that hangs in Probe has left for GetPluginInfo, over the same connection: its name, if it tells it at once. */
const NAME_TIMEOUT_MS = 300;

/**
 * Asks one driver, over one connection: Probe first, for its state is what counts, and it gets the whole timeout; then its
 * name, and what it can do. Never rejects.
 */
export async function questionDriver(options: QuestionOptions): Promise<DriverAnswers> {
  const { connectPath, probeTimeoutMs, userAgent } = options;
  try {
    const totalTimeoutMs = probeTimeoutMs + NAME_TIMEOUT_MS;
    const opened = await openSession({ socketPath: connectPath, timeoutMs: probeTimeoutMs, totalTimeoutMs, userAgent });
    if (opened.kind === "open") {
      using session = opened.session;
      return await questionSession(session, options);
    }
    const diagnosis = diagnoseConnect(opened.failure, sceneOf(options, opened.elapsedMs, "Identity/Probe"));
    return { ...NOTHING, outcome: failed(diagnosis) };
  } catch (error) {
    return { ...NOTHING, outcome: failed(diagnoseInternal(errorText(error))) };
  }
}

const NOTHING = {
  driver: undefined,
  vendorVersion: undefined,
  connectMs: undefined,
  callMs: undefined,
  capabilities: undefined,
} as const;

async function questionSession(session: Session, options: QuestionOptions): Promise<DriverAnswers> {
  const connectMs = session.timing.connectMs + session.timing.settingsMs;
  const probe = await session.probe();
  const info = await session.getPluginInfo();
  const details = info.answer.kind === "answered" ? info.answer.response : undefined;
  return {
    outcome: isNoCsi(probe, info) ? { kind: "notCsi", what: "a gRPC server without csi.v1.Identity" } : outcomeOf(),
    driver: details?.name || undefined,
    vendorVersion: details?.vendorVersion || undefined,
    connectMs,
    callMs: probe.durationMs,
    capabilities: options.wide ? await questionCapabilities(session) : undefined,
  };

  function outcomeOf(): DriverOutcome {
    const { answer } = probe;
    switch (answer.kind) {
      case "answered":
        return { kind: answer.response.ready ? "ready" : "notReady" };
      case "unimplemented":
      case "noAnswer":
        return failedCall(answer.outcome, connectMs + probe.durationMs, options);
      case "notAsked":
        return failedCall({ kind: "closed" }, connectMs, options);
    }
    return answer satisfies never;
  }
}

/** The Identity service has to be there, with Probe and GetPluginInfo (CSI specification, "RPC Interface"). */
function isNoCsi(probe: TimedCall<unknown>, info: TimedCall<PluginInfo>): boolean {
  return probe.answer.kind === "unimplemented" && info.answer.kind === "unimplemented";
}

function failedCall(outcome: Unanswered, elapsedMs: number, options: QuestionOptions): DriverOutcome {
  return failed(diagnoseCall(outcome, sceneOf(options, elapsedMs, "Identity/Probe")));
}

/** What is no gRPC server at all is none of ours to judge. */
function failed({ reason, message }: Diagnosis): DriverOutcome {
  return reason === "not_grpc" ? { kind: "notCsi", what: message } : { kind: "failed", reason, message };
}

async function questionCapabilities(session: Session): Promise<CapabilityReport> {
  const plugin = answered((await session.getPluginCapabilities()).answer);
  return {
    plugin: plugin === undefined ? undefined : [...plugin.services, ...plugin.volumeExpansion],
    node: answered((await session.nodeGetCapabilities()).answer),
    controller: answered((await session.controllerGetCapabilities()).answer),
  };
}

function answered<Response>(answer: CallAnswer<Response>): Response | undefined {
  return answer.kind === "answered" ? answer.response : undefined;
}
