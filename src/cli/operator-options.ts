import type { ParsedArgs } from "citty";
import { ConfigError } from "../base/errors";
import type { Invocation } from "../base/shell-command";
import { quote } from "../base/text";
import type { Args } from "./command";
import { DEFAULT_CSI_ADDRESS, GENERAL_FLAGS, SERVE_FLAGS } from "./flags";
import { readBoundedMs, readCsiSocketPath, readOneOf, readProbeTimeoutMs } from "./options";

export const PROBE_TIMEOUT = {
  "probe-timeout": {
    type: "string",
    default: SERVE_FLAGS["probe-timeout"].default,
    valueHint: "DURATION",
    description: "The longest time that a driver may take to answer, including the connection.",
    group: "Probe",
  },
} as const satisfies Args;

/** Where the drivers of the node are looked for. */
export const NODE_FLAGS = {
  "kubelet-dir": {
    type: "string",
    valueHint: "DIR",
    separator: "\n",
    description:
      "The kubelet's directory. Default: the directories of running kubelets and the usual ones. May be repeated.",
    group: "Node",
  },
  root: {
    type: "string",
    default: "/",
    valueHint: "DIR",
    description:
      "The node's root directory as it is mounted here, such as /host in a debug container. Nothing outside it is read.",
    group: "Node",
  },
} as const satisfies Args;

const OUTPUT = {
  type: "string",
  default: "table",
  alias: "o",
  valueHint: "table|json",
  description: "table is for people, json for programs.",
  group: "Output",
} as const;

const TARGET = {
  type: "positional",
  valueHint: "ADDRESS|DRIVER",
  required: true,
  description: "the path of a driver's socket, or a driver's name; livenessprobe list shows both",
} as const;

export const CHECK_ARGS = {
  target: { ...TARGET, valueHint: "[ADDRESS|DRIVER]", required: false },
  "csi-address": {
    type: "string",
    valueHint: "PATH",
    description: `The CSI driver's socket, if neither ADDRESS nor DRIVER is given. Default: ${DEFAULT_CSI_ADDRESS}`,
    group: "Probe",
  },
  ...PROBE_TIMEOUT,
  wait: {
    type: "string",
    default: "0s",
    valueHint: "DURATION",
    description: "Probe again until the driver is ready, for at most this long.",
    group: "Probe",
  },
  ...NODE_FLAGS,
  output: OUTPUT,
  "exit-codes": {
    type: "string",
    default: "standard",
    valueHint: "standard|npd",
    description:
      "npd is for a custom plugin of node-problem-detector: exit code 0 is ready, 1 a problem, 2 that nobody can tell, and standard output has one line of at most 80 bytes.",
    group: "Output",
  },
  ...GENERAL_FLAGS,
} as const satisfies Args;

export const LIST_ARGS = {
  driver: {
    type: "string",
    valueHint: "NAME",
    description:
      "Show only the driver of this name: that of its directory, of its registration, or of its answer to GetPluginInfo.",
    group: "Node",
  },
  ...NODE_FLAGS,
  ...PROBE_TIMEOUT,
  output: {
    ...OUTPUT,
    valueHint: "table|wide|json",
    description: "table is for people, wide adds capabilities and processes, json is for programs.",
  },
  watch: {
    type: "boolean",
    default: false,
    alias: "w",
    description:
      "Keep watching until Ctrl-C or SIGTERM, then exit with 0: a terminal shows the table, redrawn in place; elsewhere each change is a line.",
    group: "Output",
  },
  interval: {
    type: "string",
    valueHint: "DURATION",
    description:
      "With --watch, how often each driver is probed, and the node is searched for drivers. At least 1s. Default: 2s",
    group: "Probe",
  },
  ...GENERAL_FLAGS,
} as const satisfies Args;

export const INSPECT_ARGS = {
  target: TARGET,
  "node-info": {
    type: "boolean",
    default: false,
    description:
      "Call NodeGetInfo too, for up to 30s. Some drivers then write to the API server or log in to a storage array.",
    group: "Probe",
  },
  ...PROBE_TIMEOUT,
  ...NODE_FLAGS,
  output: OUTPUT,
  ...GENERAL_FLAGS,
} as const satisfies Args;

export const INSTALL_ARGS = {
  directory: { type: "positional", valueHint: "DEST", required: true, description: "the directory to copy into" },
  "start-as": {
    type: "string",
    valueHint: "DIR",
    description:
      "The path of DEST where the executable will be started, if it differs: outside of this container, that of the node.",
    group: "Output",
  },
  force: {
    type: "boolean",
    default: false,
    description: "Replace files that install did not write, and allow a DEST where another user could replace files.",
    group: "Output",
  },
  ...GENERAL_FLAGS,
} as const satisfies Args;

/** A driver by the path of its socket, or by its name: that of its directory, a registered one, or GetPluginInfo's. */
export type DriverTarget =
  { readonly kind: "address"; readonly socketPath: string } | { readonly kind: "driver"; readonly name: string };

export type CheckOptions = ReturnType<typeof readCheckOptions>;

/** @throws {ConfigError | UsageError} at the first argument that breaks a rule, as the others below */
export function readCheckOptions(args: ParsedArgs<typeof CHECK_ARGS>) {
  return {
    target: readCheckTarget(args.target, args["csi-address"]),
    ...readNodeOptions(args),
    /** 0 is one probe alone. */
    waitMs: readBoundedMs("wait", args.wait, "not be negative", (ms) => ms >= 0),
    output: readOneOf("output", ["table", "json"], args.output),
    exitCodes: readOneOf("exit-codes", ["standard", "npd"], args["exit-codes"]),
  } as const;
}

function readCheckTarget(word: string | undefined, csiAddress: string | undefined): DriverTarget {
  if (word === undefined) return { kind: "address", socketPath: readCsiSocketPath(csiAddress ?? DEFAULT_CSI_ADDRESS) };
  const target = readTarget(word, (address) => readCsiSocketPath(address, "ADDRESS"));
  if (csiAddress === undefined) return target;
  throw new ConfigError(`the ${target.kind} is given twice: ${quote(word)} and --csi-address ${quote(csiAddress)}`);
}

/**
 * A driver's name has no slash and no scheme (CSI specification, GetPluginInfo). Whoever writes `csi.sock` means a
 * path.
 */
function readTarget(word: string, readAddress: (word: string) => string): DriverTarget {
  return /[/:]|\.sock$|^$/.test(word)
    ? { kind: "address", socketPath: readAddress(word) }
    : { kind: "driver", name: word };
}

export type ListOptions = ReturnType<typeof readListOptions>;

export function readListOptions(args: ParsedArgs<typeof LIST_ARGS>) {
  const { watch, interval } = args;
  if (!watch && interval !== undefined) throw new ConfigError(`--interval needs --watch, got ${quote(interval)}`);
  return {
    /** Undefined is every driver. */
    driver: args.driver || undefined,
    ...readNodeOptions(args),
    output: readOneOf("output", ["table", "wide", "json"], args.output),
    /** How often each driver is probed while they are watched; undefined where the list is shown once. */
    watchIntervalMs: watch
      ? readBoundedMs("interval", interval ?? "2s", "be at least 1s", (ms) => ms >= 1_000)
      : undefined,
  } as const;
}

export type InspectOptions = ReturnType<typeof readInspectOptions>;

export function readInspectOptions(args: ParsedArgs<typeof INSPECT_ARGS>) {
  return {
    // The length of an address is a finding of the inspection, and no error of the command line.
    target: readTarget(args.target, (address) => absolute("ADDRESS", address.replace(/^unix:(\/\/)?/i, ""))),
    ...readNodeOptions(args),
    nodeInfo: args["node-info"],
    output: readOneOf("output", ["table", "json"], args.output),
  } as const;
}

export function readInstallOptions(args: ParsedArgs<typeof INSTALL_ARGS>) {
  const startAs = args["start-as"];
  return {
    directory: absolute("DEST", args.directory),
    startAs: startAs === undefined ? undefined : absolute("--start-as", startAs),
    force: args.force,
  };
}

/** How another command is to be started that looks at the same node in the same way. */
export function readInvocation(given: Readonly<Record<string, string>>, program: readonly string[]): Invocation {
  const names = ["root", "kubelet-dir", "probe-timeout"];
  const flags = names.flatMap((name) => (given[name]?.split("\n") ?? []).flatMap((value) => [`--${name}`, value]));
  return { program, flags };
}

export function readNodeOptions(args: ParsedArgs<typeof NODE_FLAGS & typeof PROBE_TIMEOUT>) {
  const kubeletDirs = args["kubelet-dir"]?.split("\n") ?? [];
  return {
    rootDir: absolute("--root", args.root),
    kubeletDirs: kubeletDirs.map((path) => absolute("--kubelet-dir", path)),
    probeTimeoutMs: readProbeTimeoutMs(args["probe-timeout"]),
  };
}

function absolute(what: string, path: string): string {
  if (!path.startsWith("/")) throw new ConfigError(`${what} must be an absolute path, got ${quote(path)}`);
  return path;
}
