import { join } from "node:path";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { PluginInfo, ProbeResponse } from "../../src/driver/messages";
import type { NodeInfo, PluginCapabilities, RegistrationInfo } from "../../src/driver/node-messages";

const PROTO = join(import.meta.dir, "../../proto");

/**
 * A service of `proto/`, by its full name, as proto-loader reads it: absent fields by their defaults, enums by name
 * where they have one, 64-bit integers as numbers.
 */
export function loadService(file: "csi.proto" | "registration.proto", name: string): ServiceDefinition {
  const options = { keepCase: true, defaults: true, enums: String, longs: Number };
  const loaded = loadSync(join(PROTO, file), options);
  // proto-loader types a package as a union of all that it may hold; this one is a service, or the test fails at once.
  return loaded[name] as ServiceDefinition;
}

/** What proto-loader reads in the response of a method; the shape is its proto file's. */
function readResponse(service: ServiceDefinition, method: string, bytes: Uint8Array): unknown {
  const { responseDeserialize } = service[method] ?? {};
  if (responseDeserialize === undefined) throw new Error(`there is no method ${method}`);
  return responseDeserialize(Buffer.from(bytes));
}

const IDENTITY = loadService("csi.proto", "csi.v1.Identity");
const NODE = loadService("csi.proto", "csi.v1.Node");
const CONTROLLER = loadService("csi.proto", "csi.v1.Controller");
const REGISTRATION = loadService("registration.proto", "pluginregistration.Registration");

/** What proto-loader reads in each message that we read, in our own shape. */
export const BY_PROTO_LOADER = {
  probe: (bytes: Uint8Array): ProbeResponse => {
    const { ready } = readResponse(IDENTITY, "Probe", bytes) as { ready: { value: boolean } | null };
    return { ready: ready === null || ready.value };
  },
  pluginInfo: (bytes: Uint8Array): PluginInfo => {
    const info = readResponse(IDENTITY, "GetPluginInfo", bytes) as { name: string; vendor_version: string };
    return { name: info.name, vendorVersion: info.vendor_version };
  },
  nodeInfo: nodeInfoByProtoLoader,
  registrationInfo: registrationByProtoLoader,
  pluginCapabilities: pluginByProtoLoader,
  nodeCapabilities: (bytes: Uint8Array) =>
    names(capabilitiesOf(readResponse(NODE, "NodeGetCapabilities", bytes)).map(({ rpc }) => rpc)),
  controllerCapabilities: (bytes: Uint8Array) =>
    names(capabilitiesOf(readResponse(CONTROLLER, "ControllerGetCapabilities", bytes)).map(({ rpc }) => rpc)),
} as const;

// Of what proto-loader reads, the shapes that the proto files give it.

function nodeInfoByProtoLoader(bytes: Uint8Array): NodeInfo {
  const info = readResponse(NODE, "NodeGetInfo", bytes) as {
    node_id: string;
    max_volumes_per_node: number;
    accessible_topology: { segments: Record<string, string> } | null;
  };
  const segments = info.accessible_topology?.segments ?? {};
  const topologySegments = new Map(Object.entries(segments));
  return { nodeId: info.node_id, maxVolumesPerNode: info.max_volumes_per_node, topologySegments };
}

function registrationByProtoLoader(bytes: Uint8Array): RegistrationInfo {
  const { supported_versions: _, ...info } = readResponse(REGISTRATION, "GetInfo", bytes) as {
    type: string;
    name: string;
    endpoint: string;
    supported_versions: string[];
  };
  return info;
}

interface LoadedCapability {
  readonly service?: { readonly type: string | number };
  readonly volume_expansion?: { readonly type: string | number };
  readonly rpc?: { readonly type: string | number };
}

function pluginByProtoLoader(bytes: Uint8Array): PluginCapabilities {
  const capabilities = capabilitiesOf(readResponse(IDENTITY, "GetPluginCapabilities", bytes));
  return {
    services: names(capabilities.map(({ service }) => service)),
    volumeExpansion: names(capabilities.map(({ volume_expansion: expansion }) => expansion)),
  };
}

function capabilitiesOf(response: unknown): readonly LoadedCapability[] {
  // The shape that proto/csi.proto gives it.
  return (response as { capabilities: LoadedCapability[] }).capabilities;
}

/** Each name once; proto-loader leaves a number without a name as it is. */
function names(members: readonly ({ readonly type: string | number } | null | undefined)[]): readonly string[] {
  const types = members.flatMap((member) => member?.type ?? []);
  return [...new Set(types.map((type) => (typeof type === "string" ? type : `UNKNOWN(${type})`)))];
}
