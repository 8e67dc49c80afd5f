import { FLAGS, type Flag } from "./flags";

const GENERAL: readonly Flag[] = FLAGS.filter(({ group }) => group === "General");

export const PROBE_TIMEOUT = {
  name: "probe-timeout",
  type: "duration",
  default: "3s",
  help: "How long the driver may take, connecting included.",
  group: "Probe",
} as const satisfies Flag;

const OUTPUT = {
  name: "output",
  short: "o",
  type: "string",
  default: "table",
  help: "table for a person, json for a program.",
  group: "Output",
} as const satisfies Flag;

export const ROOT_DIR = {
  name: "root",
  type: "string",
  default: "/",
  help: "The node's root directory, as seen from here: /host in a debug container. Nothing outside of it is read.",
  group: "Node",
} as const satisfies Flag;

export const KUBELET_DIR = {
  name: "kubelet-dir",
  type: "list",
  default: "",
  help: "The kubelet's directory, in place of those of running kubelets and the usual ones. May be given more than once.",
  group: "Node",
} as const satisfies Flag;

/** The flags of `check`. */
export const CHECK_FLAGS = [
  {
    name: "csi-address",
    type: "string",
    default: "/run/csi/socket",
    help: "The CSI driver's socket, if neither ADDRESS nor DRIVER is given: an absolute path, bare or after unix: or unix://.",
    group: "Probe",
  },
  PROBE_TIMEOUT,
  {
    name: "wait",
    type: "duration",
    default: "0s",
    help: "Probe again until the driver is ready, for at most this long.",
    group: "Probe",
  },
  KUBELET_DIR,
  ROOT_DIR,
  OUTPUT,
  ...GENERAL,
] as const satisfies readonly Flag[];

/** The flags of `list`. */
export const LIST_FLAGS = [
  {
    name: "driver",
    type: "string",
    default: "",
    help: "Only the driver of this name: that of its directory, its registration, or its answer to GetPluginInfo.",
    group: "Node",
  },
  KUBELET_DIR,
  ROOT_DIR,
  PROBE_TIMEOUT,
  { ...OUTPUT, help: "table for a person, wide with capabilities and processes, json for a program." },
  ...GENERAL,
] as const satisfies readonly Flag[];

/** The flags of `inspect`. */
export const INSPECT_FLAGS = [
  {
    name: "node-info",
    type: "bool",
    default: "false",
    help: "Call NodeGetInfo too, for up to 30s. In it, some drivers write to the API server or log in to an array.",
    group: "Probe",
  },
  PROBE_TIMEOUT,
  KUBELET_DIR,
  ROOT_DIR,
  OUTPUT,
  ...GENERAL,
] as const satisfies readonly Flag[];

/** The flags of `install`. */
export const INSTALL_FLAGS = [
  {
    name: "start-as",
    type: "string",
    default: "",
    help: "The path of DEST where the executable will be started, if it differs: outside of this container, that of the node.",
    group: "Output",
  },
  {
    name: "force",
    type: "bool",
    default: "false",
    help: "Replace files that install did not write, and allow a DEST where another user could replace files.",
    group: "Output",
  },
  ...GENERAL,
] as const satisfies readonly Flag[];
