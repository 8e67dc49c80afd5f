import type { ParsedArgs } from "citty";
import { ConfigError } from "../base/errors";
import { quote } from "../base/text";
import { parseListenAddress } from "../http/listen-address";
import type { Args } from "./command";
import { GENERAL_FLAGS } from "./flags";
import { NODE_FLAGS, PROBE_TIMEOUT, readNodeOptions } from "./operator-options";
import { readListener, readOneOf } from "./options";

const MONITOR = "localhost:9809";

export const REPORT_ARGS = {
  output: {
    type: "string",
    default: "-",
    alias: "o",
    valueHint: "FILE",
    description: "The file to write, readable for its owner alone. It is replaced if it exists. - is standard output.",
    group: "Output",
  },
  redact: {
    type: "string",
    default: "on",
    valueHint: "on|off",
    description: "on cuts what looks like a secret, and lists in the report what was cut. off cuts nothing.",
    group: "Output",
  },
  monitor: {
    type: "string",
    default: MONITOR,
    valueHint: "HOST:PORT",
    description:
      "The address of livenessprobe monitor on this node, which is asked for its incidents. none asks nobody.",
    group: "Node",
  },
  "incident-dir": {
    type: "string",
    valueHint: "PATH",
    description: "The --incident-dir of the monitor, as it is mounted here.",
    group: "Node",
  },
  ...PROBE_TIMEOUT,
  ...NODE_FLAGS,
  ...GENERAL_FLAGS,
} as const satisfies Args;

export type ReportOptions = ReturnType<typeof readReportOptions>;

/** @throws {ConfigError | UsageError} at the first flag that breaks a rule */
export function readReportOptions(args: ParsedArgs<typeof REPORT_ARGS>) {
  const { output, monitor } = args;
  if (/^(json|table|wide|yaml|)$/.test(output))
    throw new ConfigError(`--output must be a file or -, got ${quote(output)}: a report is always JSON; drop the flag`);
  return {
    ...readNodeOptions(args),
    /** Undefined is standard output. */
    file: output === "-" ? undefined : output,
    redacts: readOneOf("redact", ["on", "off"], args.redact) === "on",
    /** `host:port`; undefined is none. */
    monitor: monitor === "none" ? undefined : readMonitor(monitor),
    incidentDir: args["incident-dir"] || undefined,
  } as const;
}

function readMonitor(text: string): string {
  const { hostname = "localhost", port } = readListener("monitor", (each) => parseListenAddress(each, 9_809), text);
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
