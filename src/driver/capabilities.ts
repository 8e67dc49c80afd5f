import { readFields } from "../grpc/wire";

/** What `csi.v1.GetPluginCapabilitiesResponse` says, by the names of the CSI specification. */
export interface PluginCapabilities {
  /** Of the enum `PluginCapability.Service.Type`, such as `CONTROLLER_SERVICE`. */
  readonly services: readonly string[];
  /** Of the enum `PluginCapability.VolumeExpansion.Type`: `ONLINE`, `OFFLINE`. */
  readonly volumeExpansion: readonly string[];
}

/**
 * Reads a `csi.v1.GetPluginCapabilitiesResponse`.
 *
 * As everywhere in this file: each name once, in the driver's order; a number that the specification does not name is
 * `UNKNOWN(42)`; a capability of a kind that it does not know is left out, for it has neither name nor number.
 *
 * @throws WireError when the bytes are no protobuf message
 */
export function decodePluginCapabilities(bytes: Uint8Array): PluginCapabilities {
  const services = new Set<string>();
  const volumeExpansion = new Set<string>();
  for (const { member, type } of readCapabilities(bytes, [SERVICE, VOLUME_EXPANSION])) {
    if (member === SERVICE) services.add(nameOf(SERVICE_TYPES, type));
    else volumeExpansion.add(nameOf(VOLUME_EXPANSION_TYPES, type));
  }
  return { services: [...services], volumeExpansion: [...volumeExpansion] };
}

/**
 * Reads a `csi.v1.NodeGetCapabilitiesResponse` as names of the enum `NodeServiceCapability.RPC.Type`, such as `EXPAND_VOLUME`.
 *
 * @throws WireError when the bytes are no protobuf message
 */
export function decodeNodeCapabilities(bytes: Uint8Array): readonly string[] {
  return decodeRpcTypes(bytes, NODE_RPC_TYPES);
}

/**
 * Reads a `csi.v1.ControllerGetCapabilitiesResponse` as names of the enum `ControllerServiceCapability.RPC.Type`.
 *
 * @throws WireError when the bytes are no protobuf message
 */
export function decodeControllerCapabilities(bytes: Uint8Array): readonly string[] {
  return decodeRpcTypes(bytes, CONTROLLER_RPC_TYPES);
}

/** The values of an enum by their numbers; undefined where the specification has none. */
type EnumNames = readonly (string | undefined)[];

// The members of the oneof in PluginCapability, and the only one in the other two, by field number.
const SERVICE = 1;
const VOLUME_EXPANSION = 2;
const RPC = 1;

const SERVICE_TYPES: EnumNames = [
  "UNKNOWN",
  "CONTROLLER_SERVICE",
  "VOLUME_ACCESSIBILITY_CONSTRAINTS",
  "GROUP_CONTROLLER_SERVICE",
  "SNAPSHOT_METADATA_SERVICE",
  "SNAPSHOT_ACCESSIBILITY_CONSTRAINTS",
];

const VOLUME_EXPANSION_TYPES: EnumNames = ["UNKNOWN", "ONLINE", "OFFLINE"];

// VOLUME_CONDITION went out of both enums with CSI 1.13; drivers built with an older one still answer it.
const NODE_RPC_TYPES: EnumNames = [
  "UNKNOWN",
  "STAGE_UNSTAGE_VOLUME",
  "GET_VOLUME_STATS",
  "EXPAND_VOLUME",
  "VOLUME_CONDITION",
  "SINGLE_NODE_MULTI_WRITER",
  "VOLUME_MOUNT_GROUP",
  "GET_VOLUME_HEALTH",
  "GET_STORAGE_HEALTH",
];

const CONTROLLER_RPC_TYPES: EnumNames = [
  "UNKNOWN",
  "CREATE_DELETE_VOLUME",
  "PUBLISH_UNPUBLISH_VOLUME",
  "LIST_VOLUMES",
  "GET_CAPACITY",
  "CREATE_DELETE_SNAPSHOT",
  "LIST_SNAPSHOTS",
  "CLONE_VOLUME",
  "PUBLISH_READONLY",
  "EXPAND_VOLUME",
  "LIST_VOLUMES_PUBLISHED_NODES",
  "VOLUME_CONDITION",
  "GET_VOLUME",
  "SINGLE_NODE_MULTI_WRITER",
  "MODIFY_VOLUME",
  "GET_SNAPSHOT",
  "GET_VOLUME_HEALTH",
  "LIST_VOLUME_HEALTH",
];

function decodeRpcTypes(bytes: Uint8Array, names: EnumNames): readonly string[] {
  return [...new Set([...readCapabilities(bytes, [RPC])].map(({ type }) => nameOf(names, type)))];
}

function nameOf(names: EnumNames, type: number): string {
  return names[type] ?? `UNKNOWN(${type})`;
}

/** A capability: which member of its oneof is set, by field number, and the enum value in that. */
interface Capability {
  readonly member: number;
  readonly type: number;
}

// All three responses are alike: `repeated` capabilities = 1, each a oneof of messages with an enum `type = 1`.
function* readCapabilities(bytes: Uint8Array, members: readonly number[]): Generator<Capability, void, undefined> {
  for (const field of readFields(bytes)) {
    if (field.number !== 1 || field.type !== "bytes") continue;
    const capability = readOneof(field.value, members);
    if (capability !== undefined) yield capability;
  }
}

function readOneof(bytes: Uint8Array, members: readonly number[]): Capability | undefined {
  let last: Capability | undefined;
  for (const field of readFields(bytes)) {
    if (field.type !== "bytes" || !members.includes(field.number)) continue;
    // Of different members the last one holds; the same one twice is merged, so a value that was set stays set.
    const before = last?.member === field.number ? last.type : 0;
    last = { member: field.number, type: readEnum(field.value) ?? before };
  }
  return last;
}

// undefined: the message does not say, which proto3 reads as 0.
function readEnum(bytes: Uint8Array): number | undefined {
  let value: number | undefined;
  for (const field of readFields(bytes)) {
    // An enum is an int32: what a varint has above that is cut off.
    if (field.number === 1 && field.type === "varint") value = Number(BigInt.asIntN(32, field.value));
  }
  return value;
}
