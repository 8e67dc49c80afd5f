import type { ParsedArgs } from "citty";
import { formatDuration, parseDuration } from "../base/duration";
import { ConfigError } from "../base/errors";
import { quote } from "../base/text";
import { parseCsiAddress } from "../driver/address";
import { parseHealthPort, parseListenAddress, type Address, type ListenAddress } from "../http/listen-address";
import type { VmodulePattern } from "../log/vmodule";
import { UsageError } from "./command";
import { DEFAULT_HEALTH_PORT, SERVE_FLAGS } from "./flags";

/** An address to listen on, and the flag that asked for it. */
export interface Listener extends Address {
  /** With its dashes, for messages: `--health-port`. */
  readonly flag: string;
  /** The flag's value as it was given. */
  readonly text: string;
}

/** What is served on an address. */
export interface Endpoint {
  readonly listener: Listener;
  readonly probes: boolean;
  /** Undefined where no metrics are served. */
  readonly metricsPath: string | undefined;
}

export interface LogOptions {
  readonly format: "text" | "json";
  readonly verbosity: number;
  readonly vmodule: readonly VmodulePattern[];
  /** Whether info lines go to standard output. */
  readonly splitStream: boolean;
}

/**
 * 596 hours. A timer that is set further ahead than 31 bits of milliseconds fires at once; some run a little longer
 * than this.
 */
export const MAX_PROBE_TIMEOUT_MS = 2_145_600_000;

/** The largest verbosity: Kubernetes logging keeps it in 31 bits. */
const MAX_VERBOSITY = 2_147_483_647;

type ServeArgs = ParsedArgs<typeof SERVE_FLAGS>;

export type Options = ReturnType<typeof readOptions>;

/**
 * Reads the flags of `serve`. What can never work is refused: the Go sidecar would panic over some of it, and wait for
 * ever on other.
 *
 * @throws {UsageError} at a value that Go's flag package could not read either; {ConfigError} at any other that breaks
 *   a rule
 */
export function readOptions(args: ServeArgs) {
  const log = readLog(args);
  const endpoints = readEndpoints(args);
  const metricsPath = args["metrics-path"];
  const isUnused = metricsPath !== SERVE_FLAGS["metrics-path"].default && endpoints.every((each) => !each.metricsPath);
  return {
    csiSocketPath: readCsiSocketPath(args["csi-address"]),
    /** As it was given, for messages. */
    csiAddress: args["csi-address"],
    probeTimeoutMs: readProbeTimeoutMs(args["probe-timeout"]),
    endpoints,
    /** `--metrics-path` where it was given for nothing. */
    unusedMetricsPath: isUnused ? metricsPath : undefined,
    log,
  } as const;
}

/** @throws {ConfigError} where the address, which `name` gave, can never work */
export function readCsiSocketPath(text: string, name = "--csi-address"): string {
  const address = parseCsiAddress(text);
  if (address.kind === "invalid") throw new ConfigError(`${name} must ${address.rule}, got ${quote(text)}`);
  return address.path;
}

export function readProbeTimeoutMs(text: string): number {
  return readBoundedMs("probe-timeout", text, "be greater than zero", (ms) => ms > 0);
}

/**
 * @throws {ConfigError} where the duration breaks the rule, which is worded to follow "must", or is too long for a
 *   timer
 */
export function readBoundedMs(name: string, text: string, rule: string, holds: (ms: number) => boolean): number {
  const ms = readDurationMs(name, text);
  if (!holds(ms)) throw broken(name, rule, text);
  if (ms > MAX_PROBE_TIMEOUT_MS) throw broken(name, `be at most ${formatDuration(MAX_PROBE_TIMEOUT_MS)}`, text);
  return ms;
}

/**
 * @throws {UsageError} where the text is no duration of Go's: its unit is missing, or it is one that Go does not have
 */
function readDurationMs(name: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  const [, number, unit] = /^(\d+(?:\.\d+)?)(d?)$/.exec(text) ?? [];
  const instead = unit === "d" ? `${Number(number) * 24}h` : `${number}s`;
  throw unreadable(name, "be a duration such as 3s or 500ms", text, number === undefined ? undefined : instead);
}

function readEndpoints(args: ServeArgs): readonly Endpoint[] {
  if (args["http-endpoint"] !== "") {
    // Go compares texts: `--health-port=9808` is the default and no conflict.
    if (args["health-port"] !== DEFAULT_HEALTH_PORT) throw exclusive("health-port");
    if (args["metrics-address"] !== "") throw exclusive("metrics-address");
    const listener = readListener("http-endpoint", parseListenAddress, args["http-endpoint"]);
    return [{ listener, probes: true, metricsPath: readMetricsPath(args["metrics-path"]) }];
  }
  const health = readListener("health-port", parseHealthPort, args["health-port"]);
  const probes = { listener: health, probes: true, metricsPath: undefined };
  if (args["metrics-address"] === "") return [probes];
  const listener = readListener("metrics-address", parseListenAddress, args["metrics-address"]);
  // `--health-port` holds every address, so that the port alone decides.
  if (listener.port !== 0 && listener.port === health.port) {
    throw broken("metrics-address", `have another port than --health-port ${health.text}`, listener.text);
  }
  return [probes, { listener, probes: false, metricsPath: readMetricsPath(args["metrics-path"]) }];
}

/** @throws {ConfigError} at an address that cannot be listened on */
export function readListener(
  name: "http-endpoint" | "health-port" | "metrics-address" | "monitor",
  parse: (text: string) => ListenAddress,
  text: string,
): Listener {
  const address = parse(text);
  if (address.kind === "invalid") throw broken(name, address.rule, text, address.instead);
  return { flag: `--${name}`, text, hostname: address.hostname, port: address.port };
}

function readMetricsPath(path: string): string {
  if (!path.startsWith("/")) throw broken("metrics-path", "begin with a slash", path);
  if (path === "/healthz") throw broken("metrics-path", "differ from the healthz endpoint", path);
  // RFC 3986's characters of a path, and no dot segment or empty one: no request's path, once normalised, has those.
  if (!/^[\w\-.~!$&'()*+,;=:@/]+$/.test(path) || /\/\/|\/\.{1,2}(\/|$)/.test(path)) {
    throw broken("metrics-path", "be a plain URL path, such as /metrics", path);
  }
  return path;
}

function readLog(args: ServeArgs): LogOptions {
  const verbosity = readVerbosity(args.v);
  const vmodule = readVmodule(args.vmodule);
  refuseBuffers(args);
  const flushFrequency = args["log-flush-frequency"];
  if (readDurationMs("log-flush-frequency", flushFrequency) <= 0) {
    // Go's words, which people search for.
    throw new ConfigError(`--log-flush-frequency: Must be greater than zero, got ${quote(flushFrequency)}`);
  }
  const format = readOneOf("logging-format", ["text", "json"], args["logging-format"]);
  if (format === "json" && vmodule.length > 0) {
    throw new ConfigError(
      `--vmodule must not be given with --logging-format=json, got ${quote(args.vmodule)} (vmodule: Forbidden: Only supported for text log format)`,
    );
  }
  // As in Kubernetes, only the flag of the chosen format has an effect.
  const splitStream = format === "json" ? args["log-json-split-stream"] : args["log-text-split-stream"];
  return { format, verbosity, vmodule, splitStream };
}

/** @throws {UsageError} where the text is no verbosity */
export function readVerbosity(text: string): number {
  if (isVerbosity(text)) return Number(text);
  throw unreadable("v", `be a whole number from 0 to ${MAX_VERBOSITY}`, text);
}

function isVerbosity(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= MAX_VERBOSITY;
}

/** Reads `pattern=N,...`; empty items, such as after a trailing comma, are skipped. */
function readVmodule(text: string): readonly VmodulePattern[] {
  const items = text.split(",").filter((item) => item !== "");
  return items.map((item) => {
    const [pattern = "", verbosity = "", ...more] = item.split("=");
    if (pattern !== "" && more.length === 0 && isVerbosity(verbosity)) return { pattern, verbosity: Number(verbosity) };
    throw unreadable("vmodule", `have the form ${SERVE_FLAGS.vmodule.valueHint}, such as prober=5`, text);
  });
}

function refuseBuffers(args: ServeArgs): void {
  for (const name of ["log-text-info-buffer-size", "log-json-info-buffer-size"] as const) {
    // Zero as a Kubernetes quantity: its digits may be missing, but not before Pi or Ei; kilo is a small k.
    if (/^(?=.)(?![-+]?\.?[PE]i$)[-+]?0*(?:\.0*)?(?:[KMGTPE]i|[numkMGTPE]|[eE][-+]?\d+)?$/.test(args[name])) continue;
    throw new ConfigError(
      `${breach(name, "be 0", args[name])}: it belongs to an alpha feature that is off; drop the flag`,
    );
  }
}

/** @throws {ConfigError} where the flag's value is none of the words */
export function readOneOf<Word extends string>(name: string, words: readonly [Word, ...Word[]], given: string): Word {
  const word = words.find((each) => each === given);
  if (word !== undefined) return word;
  throw broken(name, `be ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`, given);
}

function broken(name: string, rule: string, text: string, instead?: string): ConfigError {
  return new ConfigError(breach(name, rule, text, instead));
}

function unreadable(name: string, rule: string, text: string, instead?: string): UsageError {
  return new UsageError(breach(name, rule, text, instead));
}

function breach(name: string, rule: string, text: string, instead?: string): string {
  const flag = name.length === 1 ? `-${name}` : `--${name}`;
  return `${flag} must ${rule}, got ${quote(text)}${instead === undefined ? "" : `; write ${instead}`}`;
}

// The Go sidecar's words.
function exclusive(name: string): ConfigError {
  return new ConfigError(`Only one of \`--${name}\` and \`--http-endpoint\` can be explicitly set`);
}
