import type { Rpc } from "./client";
import { messageOf, readMessage, textOf } from "../grpc/message";
import { readSchema } from "../grpc/schema" with { type: "macro" };

/**
 * What `csi.v1.ProbeResponse` says. An absent `ready` means ready: "If not present, the caller SHALL assume" so (CSI,
 * Probe).
 */
export interface ProbeResponse {
  readonly ready: boolean;
}

/** The fields of `csi.v1.GetPluginInfoResponse` that we use. */
export interface PluginInfo {
  readonly name: string;
  readonly vendorVersion: string;
}

// The messages that `serve` reads, and no other: a table in the executable, made of proto/ when it is built.
const SCHEMA = readSchema("csi.proto", ["csi.v1.ProbeResponse", "csi.v1.GetPluginInfoResponse"]);

/** Decoding throws a WireError when the bytes are no protobuf message. */
export const PROBE: Rpc<ProbeResponse> = {
  path: "/csi.v1.Identity/Probe",
  decode: (bytes) => {
    const response = readMessage(SCHEMA, "csi.v1.ProbeResponse", bytes);
    // A BoolValue without a value is false, as proto3 reads it.
    return { ready: response["ready"] === undefined || messageOf(response, "ready")["value"] === true };
  },
};

/** Decoding throws as that of `PROBE`. */
export const GET_PLUGIN_INFO: Rpc<PluginInfo> = {
  path: "/csi.v1.Identity/GetPluginInfo",
  decode: (bytes) => {
    const response = readMessage(SCHEMA, "csi.v1.GetPluginInfoResponse", bytes);
    return { name: textOf(response, "name"), vendorVersion: textOf(response, "vendor_version") };
  },
};
