import { readFields } from "../grpc/wire";

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

/**
 * Reads a `csi.v1.NodeGetInfoResponse`: `string node_id = 1; int64 max_volumes_per_node = 2; Topology accessible_topology = 3`.
 *
 * As everywhere in this file, text that is not UTF-8 is read with U+FFFD: it is for people.
 *
 * @throws WireError when the bytes are no protobuf message
 */
export function decodeNodeInfo(bytes: Uint8Array): NodeInfo {
  let nodeId = "";
  let maxVolumesPerNode = 0;
  const topologySegments = new Map<string, string>();
  for (const field of readFields(bytes)) {
    if (field.type === "varint") {
      if (field.number === 2) maxVolumesPerNode = Number(BigInt.asIntN(64, field.value));
    } else {
      if (field.number === 1) nodeId = utf8.decode(field.value);
      // Repeated occurrences of a message field are merged.
      if (field.number === 3) addSegments(topologySegments, field.value);
    }
  }
  return { nodeId, maxVolumesPerNode, topologySegments };
}

/**
 * Reads a `pluginregistration.PluginInfo`: `string type = 1; string name = 2; string endpoint = 3`.
 *
 * @throws WireError when the bytes are no protobuf message
 */
export function decodeRegistrationInfo(bytes: Uint8Array): RegistrationInfo {
  let type = "";
  let name = "";
  let endpoint = "";
  for (const field of readFields(bytes)) {
    if (field.type !== "bytes") continue;
    if (field.number === 1) type = utf8.decode(field.value);
    if (field.number === 2) name = utf8.decode(field.value);
    if (field.number === 3) endpoint = utf8.decode(field.value);
  }
  return { type, name, endpoint };
}

// Without this option a byte order mark at the start would be dropped, and it is part of the text.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** `csi.v1.Topology`: `map<string, string> segments = 1`. */
function addSegments(segments: Map<string, string>, bytes: Uint8Array): void {
  for (const field of readFields(bytes)) {
    if (field.number === 1 && field.type === "bytes") addEntry(segments, field.value);
  }
}

// A map is `repeated` messages `key = 1, value = 2`; of two with the same key the last one holds.
function addEntry(map: Map<string, string>, bytes: Uint8Array): void {
  let key = "";
  let value = "";
  for (const field of readFields(bytes)) {
    if (field.type !== "bytes") continue;
    if (field.number === 1) key = utf8.decode(field.value);
    if (field.number === 2) value = utf8.decode(field.value);
  }
  map.set(key, value);
}
