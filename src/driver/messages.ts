import { readFields } from "../grpc/wire";

/** What `csi.v1.ProbeResponse` says. An absent `ready` means ready: "If not present, the caller SHALL assume" so (CSI, Probe). */
export interface ProbeResponse {
  readonly ready: boolean;
}

/** The fields of `csi.v1.GetPluginInfoResponse` that we use. */
export interface PluginInfo {
  readonly name: string;
  readonly vendorVersion: string;
}

/**
 * Reads a `csi.v1.ProbeResponse`, whose one field is a `google.protobuf.BoolValue ready = 1`.
 *
 * The message is read here rather than by protobufjs, which costs some 7 MiB of memory; a test holds both to the same answers.
 *
 * @throws WireError when the bytes are no protobuf message
 */
export function decodeProbeResponse(bytes: Uint8Array): ProbeResponse {
  let ready: boolean | undefined;
  for (const field of readFields(bytes)) {
    // Repeated occurrences of a message field are merged, so a value that was set stays set.
    if (field.number === 1 && field.type === "bytes") ready = decodeBoolValue(field.value) ?? ready ?? false;
  }
  return { ready: ready ?? true };
}

/**
 * Reads a `csi.v1.GetPluginInfoResponse`: `string name = 1; string vendor_version = 2; map manifest = 3`.
 *
 * @throws WireError when the bytes are no protobuf message
 */
export function decodePluginInfo(bytes: Uint8Array): PluginInfo {
  let name = "";
  let vendorVersion = "";
  for (const field of readFields(bytes)) {
    if (field.type !== "bytes") continue;
    if (field.number === 1) name = utf8.decode(field.value);
    if (field.number === 2) vendorVersion = utf8.decode(field.value);
  }
  return { name, vendorVersion };
}

// Without this option a byte order mark at the start would be dropped, and it is part of the text.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

// undefined: the message does not say, which proto3 reads as false.
function decodeBoolValue(bytes: Uint8Array): boolean | undefined {
  let value: boolean | undefined;
  for (const field of readFields(bytes)) {
    if (field.number === 1 && field.type === "varint") value = field.value !== 0n;
  }
  return value;
}
