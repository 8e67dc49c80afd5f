import { parseBool } from "./argv";
import { parseDuration } from "../base/duration";
import { ConfigError } from "../base/errors";
import type { Flag } from "./flags";
import {
  CHECK_FLAGS,
  INSPECT_FLAGS,
  INSTALL_FLAGS,
  KUBELET_DIR,
  LIST_FLAGS,
  PROBE_TIMEOUT,
  ROOT_DIR,
} from "./operator-flags";
import { readCsiSocketPath, readProbeTimeoutMs } from "./options";
import { quote } from "../base/text";

export type OutputFormat = "table" | "json";

export interface CheckOptions extends Pick<ListOptions, "kubeletDirs" | "rootDir"> {
  readonly target: DriverTarget;
  readonly probeTimeoutMs: number;
  /** 0 is one probe alone. */
  readonly waitMs: number;
  readonly output: OutputFormat;
}

/**
 * @param values the text of each given flag, as `readArgv` returns it
 * @param words at most one, an address or a driver's name
 * @throws {ConfigError} at the first flag that breaks a rule
 */
export function readCheckOptions(values: Readonly<Record<string, string>>, words: readonly string[]): CheckOptions {
  const [word] = words;
  const isName = word !== undefined && isDriverName(word);
  const address = isName ? undefined : word;
  const given = values["csi-address"];
  if (isName && given !== undefined)
    throw new ConfigError(`the driver is given twice: ${quote(word)} and --csi-address ${quote(given)}`);
  if (address !== undefined && given !== undefined)
    throw new ConfigError(`the address is given twice: ${quote(address)} and --csi-address ${quote(given)}`);
  const all = { ...values, ...(address === undefined ? {} : { "csi-address": address }) };
  const read = reader(all, CHECK_FLAGS);
  return {
    target: isName ? { kind: "driver", name: word } : { kind: "address", socketPath: readCsiSocketPath(read) },
    ...readNodePlaces(read),
    probeTimeoutMs: readProbeTimeoutMs(read),
    waitMs: readWaitMs(read),
    output: readOutput(read),
  };
}

export interface ListOptions {
  /** Undefined is every driver. */
  readonly driver: string | undefined;
  readonly kubeletDirs: readonly string[];
  readonly rootDir: string;
  readonly probeTimeoutMs: number;
  readonly output: OutputFormat | "wide";
}

/**
 * @param values as for `readCheckOptions`
 * @throws {ConfigError} at the first flag that breaks a rule
 */
export function readListOptions(values: Readonly<Record<string, string>>): ListOptions {
  const read = reader(values, LIST_FLAGS);
  const output = read("output");
  return {
    driver: read("driver") || undefined,
    ...readNodePlaces(read),
    probeTimeoutMs: readProbeTimeoutMs(read),
    output: output === "wide" ? output : readOutput(read, ", wide"),
  };
}

export interface InspectOptions extends Pick<ListOptions, "kubeletDirs" | "rootDir"> {
  readonly target: DriverTarget;
  readonly probeTimeoutMs: number;
  readonly nodeInfo: boolean;
  readonly output: OutputFormat;
}

export type DriverTarget =
  | { readonly kind: "address"; readonly socketPath: string }
  /** As its directory is called, as it is registered, or as GetPluginInfo tells it. */
  | { readonly kind: "driver"; readonly name: string };

/**
 * @param values as for `readCheckOptions`
 * @param words one: an address, or a driver's name
 * @throws {ConfigError} at the first flag that breaks a rule
 */
export function readInspectOptions(values: Readonly<Record<string, string>>, words: readonly string[]): InspectOptions {
  const [target] = words;
  if (target === undefined)
    throw new ConfigError("inspect takes a socket's path or a driver's name: see list for both");
  const read = reader(values, INSPECT_FLAGS);
  return {
    target: readTarget(target),
    ...readNodePlaces(read),
    probeTimeoutMs: readProbeTimeoutMs(read),
    nodeInfo: parseBool(read("node-info")) === true,
    output: readOutput(read),
  };
}

function readTarget(word: string): DriverTarget {
  if (isDriverName(word)) return { kind: "driver", name: word };
  // Its length is a finding of the inspection, and no error of the command line.
  const path = word.replace(/^unix:(\/\/)?/i, "");
  return { kind: "address", socketPath: absolute("ADDRESS", path) };
}

/** What has a slash or a scheme is an address; a driver's name has neither (CSI specification, GetPluginInfo). */
function isDriverName(word: string): boolean {
  return !/[/:]/.test(word);
}

export interface InstallCommandOptions {
  readonly directory: string;
  /** Undefined where it is not given. */
  readonly startAs: string | undefined;
  readonly force: boolean;
}

/**
 * @param values as for `readCheckOptions`
 * @param words one: a directory
 * @throws {ConfigError} at the first that breaks a rule
 */
export function readInstallOptions(
  values: Readonly<Record<string, string>>,
  words: readonly string[],
): InstallCommandOptions {
  const [directory] = words;
  if (directory === undefined) throw new ConfigError("install takes a directory: livenessprobe install DEST");
  const read = reader(values, INSTALL_FLAGS);
  const startAs = read("start-as");
  return {
    directory: absolute("DEST", directory),
    startAs: startAs === "" ? undefined : absolute("--start-as", startAs),
    force: parseBool(read("force")) === true,
  };
}

function readNodePlaces(read: Read): Pick<ListOptions, "kubeletDirs" | "rootDir"> {
  const rootDir = absolute("--root", read("root"));
  const given = read("kubelet-dir");
  return { rootDir, kubeletDirs: given === "" ? [] : given.split("\n").map((path) => absolute("--kubelet-dir", path)) };
}

/** The flags by which another command looks at the same node in the same way, as they were given to this one. */
export function readSharedFlags(values: Readonly<Record<string, string>>): readonly string[] {
  const given = [ROOT_DIR, KUBELET_DIR, PROBE_TIMEOUT].flatMap(({ name }) =>
    (values[name]?.split("\n") ?? []).map((value) => [`--${name}`, value]),
  );
  return given.flat();
}

function absolute(what: string, path: string): string {
  if (!path.startsWith("/")) throw new ConfigError(`${what} must be an absolute path, got ${quote(path)}`);
  return path;
}

type Read = (name: string) => string;

function reader(values: Readonly<Record<string, string>>, flags: readonly Flag[]): Read {
  return (name) => values[name] ?? flags.find((flag) => flag.name === name)?.default ?? "";
}

function readWaitMs(read: Read): number {
  const waitMs = parseDuration(read("wait"));
  if (waitMs === undefined || waitMs < 0)
    throw new ConfigError(`--wait must be a duration such as "60s", got ${quote(read("wait"))}`);
  return waitMs;
}

function readOutput(read: Read, more = ""): OutputFormat {
  const output = read("output");
  if (output === "table" || output === "json") return output;
  throw new ConfigError(`--output must be table${more} or json, got ${quote(output)}`);
}
