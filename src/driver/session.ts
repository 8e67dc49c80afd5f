import {
  decodeControllerCapabilities,
  decodeNodeCapabilities,
  decodePluginCapabilities,
  type PluginCapabilities,
} from "./node-messages";
import {
  openConversation,
  type ConnectTiming,
  type Conversation,
  type ConversationOptions,
  type NoConnection,
  type TimedCall,
} from "./conversation";
import { GET_PLUGIN_INFO_METHOD, PROBE_METHOD } from "./identity";
import { decodePluginInfo, decodeProbeResponse, type PluginInfo, type ProbeResponse } from "./messages";
import { decodeNodeInfo, type NodeInfo } from "./node-messages";

/**
 * The questions that a driver on a node in trouble is asked, over one connection, one after another. There is no way to
 * call anything else: these neither change anything nor reach a volume.
 */
export interface Session extends Disposable {
  readonly timing: ConnectTiming;
  getPluginInfo(): Promise<TimedCall<PluginInfo>>;
  getPluginCapabilities(): Promise<TimedCall<PluginCapabilities>>;
  probe(): Promise<TimedCall<ProbeResponse>>;
  /** Names of the enum `NodeServiceCapability.RPC.Type`. */
  nodeGetCapabilities(): Promise<TimedCall<readonly string[]>>;
  /** Names of the enum `ControllerServiceCapability.RPC.Type`. */
  controllerGetCapabilities(): Promise<TimedCall<readonly string[]>>;
  /**
   * Only for a person who asked for it: some drivers write to the API server or log in to an array in it. It has
   * `NODE_GET_INFO_TIMEOUT_MS`, whatever the session's own timeouts say.
   */
  nodeGetInfo(): Promise<TimedCall<NodeInfo>>;
  /** Frees the connection; a call that runs ends as `closed`. Safe to call more than once. */
  close(): void;
}

export type SessionOutcome = { readonly kind: "open"; readonly session: Session } | NoConnection;

export interface SessionOptions extends ConversationOptions {
  /** `NODE_GET_INFO_TIMEOUT_MS` where absent. */
  readonly nodeGetInfoTimeoutMs?: number;
}

export const NODE_GET_INFO_TIMEOUT_MS = 30_000;

/** Connects to the driver that listens on a unix socket, once. The session is to be closed on every path. */
export async function openSession(options: SessionOptions): Promise<SessionOutcome> {
  const { nodeGetInfoTimeoutMs = NODE_GET_INFO_TIMEOUT_MS } = options;
  const outcome = await openConversation(options);
  if (outcome.kind !== "open") return outcome;
  return { kind: "open", session: sessionOf(outcome.conversation, nodeGetInfoTimeoutMs) };
}

function sessionOf({ timing, call, close }: Conversation, nodeGetInfoTimeoutMs: number): Session {
  return {
    timing,
    getPluginInfo: () => call(GET_PLUGIN_INFO_METHOD, decodePluginInfo),
    getPluginCapabilities: () => call("/csi.v1.Identity/GetPluginCapabilities", decodePluginCapabilities),
    probe: () => call(PROBE_METHOD, decodeProbeResponse),
    nodeGetCapabilities: () => call("/csi.v1.Node/NodeGetCapabilities", decodeNodeCapabilities),
    controllerGetCapabilities: () => call("/csi.v1.Controller/ControllerGetCapabilities", decodeControllerCapabilities),
    nodeGetInfo: () => call("/csi.v1.Node/NodeGetInfo", decodeNodeInfo, nodeGetInfoTimeoutMs),
    close,
    [Symbol.dispose]: close,
  };
}
