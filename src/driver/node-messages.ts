import type { Rpc } from "./client";
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

// What the commands for a person ask, besides the RPCs of `serve`. Decoding throws a WireError when the bytes are no
// protobuf message.
const CSI = readSchema("csi.proto", [
  "csi.v1.NodeGetInfoResponse",
  "csi.v1.GetPluginCapabilitiesResponse",
  "csi.v1.NodeGetCapabilitiesResponse",
  "csi.v1.ControllerGetCapabilitiesResponse",
]);
const REGISTRATION = readSchema("registration.proto", ["pluginregistration.PluginInfo"]);

/** Only for a person who asked for it: some drivers write to the API server or log in to an array in it. */
export const NODE_GET_INFO: Rpc<NodeInfo> = {
  path: "/csi.v1.Node/NodeGetInfo",
  timeoutMs: 30_000,
  decode: (bytes) => {
    const response = readMessage(CSI, "csi.v1.NodeGetInfoResponse", bytes);
    const segments = messagesOf(messageOf(response, "accessible_topology"), "segments");
    return {
      nodeId: textOf(response, "node_id"),
      maxVolumesPerNode: Number(response["max_volumes_per_node"] ?? 0n),
      // A map is a list of entries; of two with the same key the last one holds.
      topologySegments: new Map(segments.map((entry) => [textOf(entry, "key"), textOf(entry, "value")])),
    };
  },
};

/**
 * Asks a registration socket of the kubelet's `plugins_registry/` what it announces. Nothing else is ever asked there:
 * `NotifyRegistrationStatus` is the kubelet's alone, and a registrar that is told by anyone that its registration
 * failed exits.
 */
export const GET_REGISTRATION_INFO: Rpc<RegistrationInfo> = {
  path: "/pluginregistration.Registration/GetInfo",
  decode: (bytes) => {
    const info = readMessage(REGISTRATION, "pluginregistration.PluginInfo", bytes);
    return { type: textOf(info, "type"), name: textOf(info, "name"), endpoint: textOf(info, "endpoint") };
  },
};

export const GET_PLUGIN_CAPABILITIES: Rpc<PluginCapabilities> = {
  path: "/csi.v1.Identity/GetPluginCapabilities",
  decode: (bytes) => {
    const response = readMessage(CSI, "csi.v1.GetPluginCapabilitiesResponse", bytes);
    return { services: typesOf(response, "service"), volumeExpansion: typesOf(response, "volume_expansion") };
  },
};

/** Names of the enum `NodeServiceCapability.RPC.Type`, such as `EXPAND_VOLUME`. */
export const NODE_GET_CAPABILITIES: Rpc<readonly string[]> = {
  path: "/csi.v1.Node/NodeGetCapabilities",
  decode: (bytes) => typesOf(readMessage(CSI, "csi.v1.NodeGetCapabilitiesResponse", bytes), "rpc"),
};

/** Names of the enum `ControllerServiceCapability.RPC.Type`. */
export const CONTROLLER_GET_CAPABILITIES: Rpc<readonly string[]> = {
  path: "/csi.v1.Controller/ControllerGetCapabilities",
  decode: (bytes) => typesOf(readMessage(CSI, "csi.v1.ControllerGetCapabilitiesResponse", bytes), "rpc"),
};

/**
 * The enum `type` in one member of the oneof of each capability, each name once, in the driver's order; a number that
 * the specification does not name is `UNKNOWN(42)`. A capability of a kind that it does not know is left out.
 */
function typesOf(response: Message, member: string): readonly string[] {
  const capabilities = messagesOf(response, "capabilities").filter((capability) => capability[member] !== undefined);
  return [...new Set(capabilities.map((capability) => textOf(messageOf(capability, member), "type") || "UNKNOWN"))];
}
