import { MAX_SOCKET_PATH_BYTES } from "../driver/address";
import {
  type CallAnswer,
  callOnce,
  isUnimplemented,
  type NoConnection,
  noConnection,
  type Rpc,
} from "../driver/client";
import { GET_REGISTRATION_INFO, type RegistrationInfo } from "../driver/node-messages";
import { pinSocket } from "../node/pinned-socket";
import { resolutionText } from "../node/rooted-path";
import type { FoundSocket, NodeSocket } from "../node/socket-search";
import type { NodeView } from "./node-view";
import type { DriverOutcome } from "./report";

/** What a registration socket answered. */
export type Registration =
  | { readonly kind: "told"; readonly socket: FoundSocket; readonly info: RegistrationInfo; readonly target: Target }
  /** A gRPC server that is not a registrar: perhaps a driver that listens in the registry. */
  | { readonly kind: "other"; readonly socket: FoundSocket }
  | { readonly kind: "silent"; readonly socket: FoundSocket; readonly why: string };

export type Told = Extract<Registration, { readonly kind: "told" }>;

/** Where a registrar says that its plugin listens. */
export type Target =
  | { readonly kind: "socket"; readonly socket: NodeSocket }
  /** A path that must not be connected to, or leads to no socket. */
  | { readonly kind: "elsewhere"; readonly path: string; readonly outcome: DriverOutcome };

/** The type that a CSI driver registers as. */
const CSI_PLUGIN = "CSIPlugin";

export function isCsiRegistration(
  registration: Registration,
): registration is Told & { readonly info: { readonly type: typeof CSI_PLUGIN } } {
  return registration.kind === "told" && registration.info.type === CSI_PLUGIN;
}

/** What is told of a socket, of whatever type. */
export function registrationsOf({ fileId }: NodeSocket, registrations: readonly Registration[]): readonly Told[] {
  return registrations.flatMap((each) =>
    each.kind === "told" && each.target.kind === "socket" && each.target.socket.fileId === fileId ? [each] : [],
  );
}

export function isRegistrationSocket({ directory }: FoundSocket): boolean {
  return directory === "plugins_registry";
}

/** Asks a registration socket for what it announces. Never rejects. */
export async function askRegistration(socket: FoundSocket, node: NodeView, timeoutMs: number): Promise<Registration> {
  const outcome = await askSocket(socket, GET_REGISTRATION_INFO, timeoutMs);
  if (outcome.kind === "answered")
    return { kind: "told", socket, info: outcome.response, target: targetOf(outcome.response, socket, node) };
  if (isUnimplemented(outcome)) return { kind: "other", socket };
  const isShort = outcome.kind === "noConnection" && outcome.failure.kind === "shortage";
  return { kind: "silent", socket, why: isShort ? `could not be asked (${outcome.failure.code})` : "did not answer" };
}

/** Calls one RPC over a connection of its own. Another socket in the place of this one is not asked. */
export async function askSocket<Response>(
  { outerPath, fileId }: NodeSocket,
  rpc: Rpc<Response>,
  timeoutMs: number,
): Promise<CallAnswer<Response> | NoConnection> {
  const pinned = pinSocket(outerPath, fileId);
  if (pinned.kind !== "pinned") return noConnection(pinned.kind === "failed" ? pinned.code : "ENOENT");
  using socket = pinned.socket;
  return (await callOnce({ socketPath: socket.path, timeoutMs }, rpc)).outcome;
}

/** A registrar without an endpoint is the plugin itself (kubelet, pluginmanager). */
export function targetOf({ endpoint }: RegistrationInfo, socket: FoundSocket, { root, kubelets }: NodeView): Target {
  const path = endpoint.replace(/^unix:(\/\/)?/, "");
  if (path === "") return { kind: "socket", socket };
  const elsewhere = (outcome: DriverOutcome): Target => ({ kind: "elsewhere", path, outcome });
  const notAsked = (what: string) => elsewhere({ kind: "notAsked", message: `its registration names ${what}` });
  if (!path.startsWith("/")) return notAsked("no absolute path");
  // Nobody can connect to it, not even the kubelet.
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES)
    return notAsked(`a path of more than ${MAX_SOCKET_PATH_BYTES} bytes`);
  const resolved = root.resolve(path);
  if (resolved.kind === "missing") {
    const what = resolved.path === path ? "does not exist" : `does not exist, nor does ${resolved.path}`;
    const message = `no such file: ${path} ${what}; is the driver running?`;
    return elsewhere({ kind: "failed", reason: "socket_missing", message });
  }
  if (resolved.kind !== "found") return notAsked(`${path}: ${resolutionText(resolved)}`);
  if (!kubelets.holds(resolved.path))
    return notAsked(`${resolved.path}, which lies outside of the kubelet's directory`);
  const { outerPath, file } = resolved;
  if (file.type !== "socket")
    return elsewhere({ kind: "failed", reason: "not_a_socket", message: `not a socket: ${path} is something else` });
  return { kind: "socket", socket: { path, outerPath, fileId: file.fileId, ownerUid: file.uid } };
}
