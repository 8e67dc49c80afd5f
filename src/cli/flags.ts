import type { Args } from "./command";

/** What every command takes. `readArgv` answers both. */
export const GENERAL_FLAGS = {
  version: { type: "boolean", default: false, description: "Print the version and exit.", group: "General" },
  help: { type: "boolean", default: false, alias: "h", description: "Print this help and exit.", group: "General" },
} as const satisfies Args;

export const DEFAULT_CSI_ADDRESS = "/run/csi/socket";

export const DEFAULT_HEALTH_PORT = "9808";

const splitStream = (format: string) =>
  ({
    type: "boolean",
    default: false,
    description: `In the ${format} format, write info lines to standard output. Warnings and errors stay on standard error.`,
    group: "Logging",
  }) as const;

const BUFFER_SIZE = {
  type: "string",
  default: "0",
  valueHint: "QUANTITY",
  description: "An alpha feature of Kubernetes logging. Only 0 is accepted.",
  group: "Accepted and ignored",
} as const;

/**
 * The flags of `serve`, in the order of the help. Names, types and defaults are those of the Go sidecar 2.19, so that
 * its manifests keep working; only `version` is ours.
 */
export const SERVE_FLAGS = {
  "csi-address": {
    type: "string",
    default: DEFAULT_CSI_ADDRESS,
    valueHint: "PATH",
    description: "The CSI driver's socket: an absolute path, with or without unix: or unix:// before it.",
    group: "Probe",
  },
  "probe-timeout": {
    type: "string",
    default: "3s",
    valueHint: "DURATION",
    description:
      "The longest time that one probe may take, including the connection. Keep it below timeoutSeconds of the kubelet's probe.",
    group: "Probe",
  },
  "http-endpoint": {
    type: "string",
    default: "",
    valueHint: "HOST:PORT",
    description:
      "The address that serves /healthz, /livez, /readyz and the metrics, such as :9808 or localhost:9808. Cannot be combined with --health-port or --metrics-address.",
    group: "HTTP",
  },
  "metrics-path": {
    type: "string",
    default: "/metrics",
    valueHint: "URL_PATH",
    description: "The URL path of the metrics. Needs --http-endpoint or --metrics-address.",
    group: "HTTP",
  },
  v: {
    type: "string",
    default: "0",
    valueHint: "NUMBER",
    description: "The log's verbosity: 0 logs changes and failures, 5 logs every probe.",
    group: "Logging",
  },
  vmodule: {
    type: "string",
    default: "",
    valueHint: "PATTERN=NUMBER,...",
    separator: ",",
    description:
      "A verbosity for the source files whose name matches the pattern. Only for the text format. May be repeated.",
    group: "Logging",
  },
  "logging-format": {
    type: "string",
    default: "text",
    valueHint: "text|json",
    description: "The log's format: text is klog's.",
    group: "Logging",
  },
  "log-text-split-stream": splitStream("text"),
  "log-json-split-stream": splitStream("JSON"),
  ...GENERAL_FLAGS,
  "health-port": {
    type: "string",
    default: DEFAULT_HEALTH_PORT,
    valueHint: "PORT",
    description: "The port that serves /healthz, /livez and /readyz on every address if --http-endpoint is not given.",
    group: "Deprecated",
    deprecated: "--http-endpoint",
  },
  "metrics-address": {
    type: "string",
    default: "",
    valueHint: "HOST:PORT",
    description: "A separate address for the metrics. The health endpoints stay at --health-port.",
    group: "Deprecated",
    deprecated: "--http-endpoint",
  },
  automaxprocs: {
    type: "boolean",
    default: false,
    description: "Sets GOMAXPROCS in the Go sidecar. There is no Go runtime here.",
    group: "Accepted and ignored",
  },
  "log-flush-frequency": {
    type: "string",
    default: "5s",
    valueHint: "DURATION",
    description: "Every log line is written at once. Must be greater than zero.",
    group: "Accepted and ignored",
  },
  "log-text-info-buffer-size": BUFFER_SIZE,
  "log-json-info-buffer-size": BUFFER_SIZE,
} as const satisfies Args;
