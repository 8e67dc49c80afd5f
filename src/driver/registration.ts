import { openConversation, type ConnectTiming, type NoConnection, type TimedCall } from "./conversation";
import { decodeRegistrationInfo, type RegistrationInfo } from "./node-messages";

export type RegistrationOutcome =
  { readonly kind: "asked"; readonly timing: ConnectTiming; readonly call: TimedCall<RegistrationInfo> } | NoConnection;

export interface RegistrationOptions {
  /** A socket of the kubelet's `plugins_registry/`. */
  readonly socketPath: string;
  /** For connecting and calling together. */
  readonly timeoutMs: number;
  readonly userAgent: string;
}

/**
 * Asks a plugin's registration socket what it announces to the kubelet: `pluginregistration.Registration/GetInfo`, over a
 * connection of its own, which is closed when this resolves.
 *
 * That is all that is ever asked there. `NotifyRegistrationStatus` is the kubelet's alone: a registrar that is told by
 * anyone that its registration failed exits.
 */
export async function getRegistrationInfo(options: RegistrationOptions): Promise<RegistrationOutcome> {
  const outcome = await openConversation({ ...options, totalTimeoutMs: options.timeoutMs });
  if (outcome.kind !== "open") return outcome;
  using conversation = outcome.conversation;
  const call = await conversation.call("/pluginregistration.Registration/GetInfo", decodeRegistrationInfo);
  return { kind: "asked", timing: conversation.timing, call };
}
