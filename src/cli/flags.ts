/** What a flag's value must look like. `string` is any text; what it means is for the options to say. `list` may be repeated. */
export type FlagType = "string" | "list" | "bool" | "uint" | "duration" | "quantity" | "vmodule";

export type FlagGroup =
  "Probe" | "Node" | "Output" | "HTTP" | "Logging" | "General" | "Deprecated" | "Accepted and ignored";

export interface Flag {
  readonly name: string;
  /** A letter that stands for the name. */
  readonly short?: string;
  readonly type: FlagType;
  /** The value that holds where the flag is not given, in the text form of Go's `flag` package; empty for none. */
  readonly default: string;
  /** What the flag does, in sentences, without its default. */
  readonly help: string;
  readonly group: FlagGroup;
  /** What to use instead of a deprecated flag. */
  readonly deprecated?: string;
}

/**
 * Every flag of `serve`, in the order of the help: the one source of parsing, help and documentation.
 * Names, types and defaults are those of the Go sidecar 2.19, so that its manifests keep working; only `version` is ours.
 */
export const FLAGS = [
  {
    name: "csi-address",
    type: "string",
    default: "/run/csi/socket",
    help: "The CSI driver's socket: an absolute path, bare or after unix: or unix://.",
    group: "Probe",
  },
  {
    name: "probe-timeout",
    type: "duration",
    default: "3s",
    help: "How long one probe may take, connecting included. Keep it below the timeoutSeconds of the kubelet's probe.",
    group: "Probe",
  },
  {
    name: "http-endpoint",
    type: "string",
    default: "",
    help: "The address that serves /healthz and the metrics, such as :9808 or localhost:9808. Excludes --health-port and --metrics-address.",
    group: "HTTP",
  },
  {
    name: "metrics-path",
    type: "string",
    default: "/metrics",
    help: "The URL path of the metrics, where metrics are served.",
    group: "HTTP",
  },
  {
    name: "v",
    type: "uint",
    default: "0",
    help: "The log's verbosity: 0 for changes and failures, 5 for every probe.",
    group: "Logging",
  },
  {
    name: "vmodule",
    type: "vmodule",
    default: "",
    help: "Another verbosity for source files whose name matches a pattern; for the text format. May be given more than once.",
    group: "Logging",
  },
  {
    name: "logging-format",
    type: "string",
    default: "text",
    help: "The log's format, text (klog's) or json.",
    group: "Logging",
  },
  {
    name: "version",
    type: "bool",
    default: "false",
    help: "Print the version and exit.",
    group: "General",
  },
  {
    name: "help",
    type: "bool",
    default: "false",
    help: "Print this text and exit.",
    group: "General",
  },
  {
    name: "h",
    type: "bool",
    default: "false",
    help: "The same as --help.",
    group: "General",
  },
  {
    name: "health-port",
    type: "string",
    default: "9808",
    help: "The port that serves /healthz on every address where --http-endpoint is not given.",
    group: "Deprecated",
    deprecated: "--http-endpoint",
  },
  {
    name: "metrics-address",
    type: "string",
    default: "",
    help: "An address of its own for the metrics, next to --health-port.",
    group: "Deprecated",
    deprecated: "--http-endpoint",
  },
  {
    name: "automaxprocs",
    type: "bool",
    default: "false",
    help: "Sizes the Go runtime to the container's CPU limit; there is no Go runtime here.",
    group: "Accepted and ignored",
  },
  {
    name: "log-flush-frequency",
    type: "duration",
    default: "5s",
    help: "Every log line is written at once. Must be greater than zero.",
    group: "Accepted and ignored",
  },
  {
    name: "log-text-split-stream",
    type: "bool",
    default: "false",
    help: "An alpha feature of Kubernetes logging that is off: only false is accepted.",
    group: "Accepted and ignored",
  },
  {
    name: "log-json-split-stream",
    type: "bool",
    default: "false",
    help: "The same for the json format: only false is accepted.",
    group: "Accepted and ignored",
  },
  {
    name: "log-text-info-buffer-size",
    type: "quantity",
    default: "0",
    help: "An alpha feature of Kubernetes logging that is off: only 0 is accepted.",
    group: "Accepted and ignored",
  },
  {
    name: "log-json-info-buffer-size",
    type: "quantity",
    default: "0",
    help: "The same for the json format: only 0 is accepted.",
    group: "Accepted and ignored",
  },
] as const satisfies readonly Flag[];

export type FlagName = (typeof FLAGS)[number]["name"];

/** The value of a flag that is not given, in Go's text form. */
export function flagDefault(name: FlagName): string {
  return FLAGS.find((flag) => flag.name === name)?.default ?? "";
}
