import { FLAGS, type Flag } from "./flags";

const GENERAL: readonly Flag[] = FLAGS.filter(({ group }) => group === "General");

const PROBE_TIMEOUT = {
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

/** The flags of `check`. */
export const CHECK_FLAGS = [
  {
    name: "csi-address",
    type: "string",
    default: "/run/csi/socket",
    help: "The CSI driver's socket, where ADDRESS is not given: an absolute path, bare or after unix: or unix://.",
    group: "Probe",
  },
  PROBE_TIMEOUT,
  {
    name: "wait",
    type: "duration",
    default: "0s",
    help: "Ask again until the driver is ready, for at most this long.",
    group: "Probe",
  },
  OUTPUT,
  ...GENERAL,
] as const satisfies readonly Flag[];
