import { type Message, messageOf, messagesOf, readMessage, textOf } from "../grpc/message";
import { readSchema } from "../grpc/schema" with { type: "macro" };

/** What `csi.v1.NodeGetInfoResponse` says. */
export interface NodeInfo {
  readonly nodeId: string;
  /** 0: "the CO SHALL decide" (CSI, NodeGetInfo). An int64, exact up to 2^53. */
  readonly maxVolumesPerNode: number;
  /** Topology keys and values, such as `topology.kubernetes.io/zone`; empty where the driver tells none. */
  readonly topologySegments: ReadonlyMap<string, string>;
}

/** What `pluginregistration.PluginInfo` says. */
export interface RegistrationInfo {
  /** `CSIPlugin`, `DRAPlugin`, `DevicePlugin`. */
  readonly type: string;
  /** For a CSI driver, what `GetPluginInfo` calls it. */
  readonly name: string;
  /** The socket that the kubelet is to use, as a path on the node; empty: the one that answered. */
  readonly endpoint: string;
}

/** What `csi.v1.GetPluginCapabilitiesResponse` says, by the names of the CSI specification. */
export interface PluginCapabilities {
  /** Of the enum `PluginCapability.Service.Type`, such as `CONTROLLER_SERVICE`. */
  readonly services: readonly string[];
  /** Of the enum `PluginCapability.VolumeExpansion.Type`: `ONLINE`, `OFFLINE`. */
  readonly volumeExpansion: readonly string[];
}

// The messages that the commands for a person read beside those of `serve`.
const CSI = readSchema("csi.proto", [
  "csi.v1.NodeGetInfoResponse",
  "csi.v1.GetPluginCapabilitiesResponse",
  "csi.v1.NodeGetCapabilitiesResponse",
  "csi.v1.ControllerGetCapabilitiesResponse",
]);
const REGISTRATION = readSchema("registration.proto", ["pluginregistration.PluginInfo"]);

/** @throws WireError when the bytes are no protobuf message */
export function decodeNodeInfo(bytes: Uint8Array): NodeInfo {
  const response = readMessage(CSI, "csi.v1.NodeGetInfoResponse", bytes);
  const segments = messagesOf(messageOf(response, "accessible_topology"), "segments");
  return {
    nodeId: textOf(response, "node_id"),
    maxVolumesPerNode: Number(response["max_volumes_per_node"] ?? 0n),
    // A map is a list of entries; of two with the same key the last one holds.
    topologySegments: new Map(segments.map((entry) => [textOf(entry, "key"), textOf(entry, "value")])),
  };
}

/** @throws WireError when the bytes are no protobuf message */
export function decodeRegistrationInfo(bytes: Uint8Array): RegistrationInfo {
  const info = readMessage(REGISTRATION, "pluginregistration.PluginInfo", bytes);
  return { type: textOf(info, "type"), name: textOf(info, "name"), endpoint: textOf(info, "endpoint") };
}

/**
 * Each name once, in the driver's order; a number that the specification does not name is `UNKNOWN(42)`. A capability of a
 * kind that it does not know is left out, for it has neither name nor number.
 *
 * @throws WireError when the bytes are no protobuf message
 */
export function decodePluginCapabilities(bytes: Uint8Array): PluginCapabilities {
  const response = readMessage(CSI, "csi.v1.GetPluginCapabilitiesResponse", bytes);
  return { services: typesOf(response, "service"), volumeExpansion: typesOf(response, "volume_expansion") };
}

/**
 * Names of the enum `NodeServiceCapability.RPC.Type`, such as `EXPAND_VOLUME`, as in `decodePluginCapabilities`.
 *
 * @throws WireError when the bytes are no protobuf message
 */
export function decodeNodeCapabilities(bytes: Uint8Array): readonly string[] {
  return typesOf(readMessage(CSI, "csi.v1.NodeGetCapabilitiesResponse", bytes), "rpc");
}

/**
 * Names of the enum `ControllerServiceCapability.RPC.Type`, as in `decodePluginCapabilities`.
 *
 * @throws WireError when the bytes are no protobuf message
 */
export function decodeControllerCapabilities(bytes: Uint8Array): readonly string[] {
  return typesOf(readMessage(CSI, "csi.v1.ControllerGetCapabilitiesResponse", bytes), "rpc");
}

/** The enum `type` in one member of the oneof of each capability; the value 0 where it is absent. */
function typesOf(response: Message, member: string): readonly string[] {
  const capabilities = messagesOf(response, "capabilities").filter((capability) => capability[member] !== undefined);
  return [...new Set(capabilities.map((capability) => textOf(messageOf(capability, member), "type") || "UNKNOWN"))];
}
