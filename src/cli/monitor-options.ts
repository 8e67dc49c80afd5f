import type { ParsedArgs } from "citty";
import { ConfigError } from "../base/errors";
import { quote } from "../base/text";
import { parseListenAddress } from "../http/listen-address";
import type { Args } from "./command";
import { GENERAL_FLAGS, SERVE_FLAGS } from "./flags";
import { NODE_FLAGS, PROBE_TIMEOUT, readNodeOptions } from "./operator-options";
import { readBoundedMs, readListener, readOneOf, readVerbosity } from "./options";

const USUAL_PORT = 9_809;

export const MONITOR_ARGS = {
  interval: {
    type: "string",
    default: "30s",
    valueHint: "DURATION",
    description: "How often each driver is probed, and the node is searched for drivers. At least 5s.",
    group: "Probe",
  },
  ...PROBE_TIMEOUT,
  driver: {
    type: "string",
    valueHint: "NAME",
    description:
      "Watch only the driver of this name: the name of its directory, the one it is registered by, or the one that GetPluginInfo returns.",
    group: "Node",
  },
  ...NODE_FLAGS,
  "node-name": {
    type: "string",
    valueHint: "NAME",
    description: "The node's name, for the page, the JSON documents and the files of incidents.",
    group: "Node",
  },
  "http-endpoint": {
    type: "string",
    default: `:${USUAL_PORT}`,
    valueHint: "HOST:PORT",
    description: "The address that serves the page, /metrics, /healthz, /readyz and /api/v1.",
    group: "HTTP",
  },
  serve: {
    type: "string",
    default: "all",
    valueHint: "all|metrics",
    description: "What to serve: metrics leaves out the page and /api/v1.",
    group: "HTTP",
  },
  "incident-dir": {
    type: "string",
    valueHint: "DIR",
    description:
      "An existing directory in which each incident is written as a JSON file. At most 100 files and 50 MiB are kept.",
    group: "Output",
  },
  "incident-logs": {
    type: "boolean",
    default: false,
    description: "Add the last 100 lines of the container's log to an incident's file. Logs may hold secrets.",
    group: "Output",
  },
  v: SERVE_FLAGS.v,
  "logging-format": SERVE_FLAGS["logging-format"],
  ...GENERAL_FLAGS,
} as const satisfies Args;

export type MonitorOptions = ReturnType<typeof readMonitorOptions>;

/** @throws {ConfigError | UsageError} at the first flag that breaks a rule */
export function readMonitorOptions(args: ParsedArgs<typeof MONITOR_ARGS>) {
  const intervalMs = readBoundedMs("interval", args.interval, "be at least 5s", (ms) => ms >= 5_000);
  const node = readNodeOptions(args);
  if (node.probeTimeoutMs > intervalMs)
    throw new ConfigError(
      `--probe-timeout must be at most --interval ${args.interval}, got ${quote(args["probe-timeout"])}`,
    );
  const incidentDir = args["incident-dir"];
  const incidentLogs = args["incident-logs"];
  if (incidentLogs && incidentDir === undefined)
    throw new ConfigError("--incident-logs needs --incident-dir: logs are written to files alone");
  return {
    ...node,
    /** Undefined is every driver. */
    driver: args.driver || undefined,
    /** Undefined is not known. */
    nodeName: args["node-name"] || undefined,
    intervalMs,
    listen: readListener("http-endpoint", (text) => parseListenAddress(text, USUAL_PORT), args["http-endpoint"]),
    serving: readOneOf("serve", ["all", "metrics"], args.serve),
    /** Undefined where incidents are kept in memory alone. */
    incidentDir,
    incidentLogs,
    log: {
      format: readOneOf("logging-format", ["text", "json"], args["logging-format"]),
      verbosity: readVerbosity(args.v),
      vmodule: [],
      splitStream: false,
    },
  } as const;
}
