/**
 * What a driver on a node in trouble may be asked, and nothing else: none of these changes anything or reaches a
 * volume. Every driver of the tests fails the test in which it is asked more.
 */
export const ALLOWED_METHODS: ReadonlySet<string> = new Set([
  "/csi.v1.Identity/GetPluginInfo",
  "/csi.v1.Identity/GetPluginCapabilities",
  "/csi.v1.Identity/Probe",
  "/csi.v1.Node/NodeGetCapabilities",
  "/csi.v1.Controller/ControllerGetCapabilities",
  "/pluginregistration.Registration/GetInfo",
]);

/** Allowed only where a person asked for it: some drivers write to the API server or log in to an array in it. */
export const NODE_GET_INFO_METHOD = "/csi.v1.Node/NodeGetInfo";

/** Whether a test lets its driver be asked NodeGetInfo. */
export type NodeGetInfoPolicy = "allowed" | "forbidden";

/** The RPCs of the CSI specification 1.13.0 and of the kubelet's plugin registration that may never be called. */
export const FORBIDDEN_METHODS: readonly string[] = [
  ...methods("csi.v1.Controller", [
    "CreateVolume",
    "DeleteVolume",
    "ControllerPublishVolume",
    "ControllerUnpublishVolume",
    "ValidateVolumeCapabilities",
    "ListVolumes",
    "ControllerListVolumeHealth",
    "ControllerGetVolumeHealth",
    "GetCapacity",
    "CreateSnapshot",
    "DeleteSnapshot",
    "ListSnapshots",
    "GetSnapshot",
    "ControllerExpandVolume",
    "ControllerGetVolume",
    "ControllerModifyVolume",
  ]),
  ...methods("csi.v1.GroupController", [
    "GroupControllerGetCapabilities",
    "CreateVolumeGroupSnapshot",
    "DeleteVolumeGroupSnapshot",
    "GetVolumeGroupSnapshot",
  ]),
  ...methods("csi.v1.SnapshotMetadata", ["GetMetadataAllocated", "GetMetadataDelta"]),
  ...methods("csi.v1.Node", [
    "NodeStageVolume",
    "NodeUnstageVolume",
    "NodePublishVolume",
    "NodeUnpublishVolume",
    "NodeGetVolumeStats",
    "NodeGetVolumeHealth",
    "NodeGetStorageHealth",
    "NodeExpandVolume",
  ]),
  ...methods("pluginregistration.Registration", ["NotifyRegistrationStatus"]),
];

/**
 * @param asked the gRPC paths that a driver was asked
 * @throws where one is not allowed, naming it
 */
export function forbidOthers(driver: string, asked: readonly string[], nodeGetInfo: NodeGetInfoPolicy): void {
  const mayBe = (method: string): boolean =>
    ALLOWED_METHODS.has(method) || (nodeGetInfo === "allowed" && method === NODE_GET_INFO_METHOD);
  const others = new Set(asked.filter((method) => !mayBe(method)));
  if (others.size > 0) throw new Error(`${driver} was asked what it must never be: ${[...others].join(", ")}`);
}

function methods(service: string, names: readonly string[]): readonly string[] {
  return names.map((name) => `/${service}/${name}`);
}
