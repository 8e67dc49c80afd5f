import { parseBool, parseVmodule } from "./argv";
import { parseCsiAddress } from "../driver/address";
import { formatDuration, parseDuration } from "../base/duration";
import { ConfigError } from "../base/errors";
import { flagDefault } from "./flags";
import type { FlagName } from "./flags";
import { parseHealthPort, parseListenAddress } from "../http/listen-address";
import type { ListenAddress } from "../http/listen-address";
import type { VmodulePattern } from "../log/record";
import { quote } from "../base/text";

/** The flags' values, typed, checked and in their units. */
export interface Options {
  /** The absolute path of the driver's socket. */
  readonly csiSocketPath: string;
  /** `--csi-address` as it was given, for messages. */
  readonly csiAddress: string;
  readonly probeTimeoutMs: number;
  readonly health: Listener;
  readonly metrics: MetricsOptions;
  readonly log: LogOptions;
}

/** An address to listen on, and the flag that asked for it. */
export interface Listener {
  /** With its dashes, for messages: `--health-port`. */
  readonly flag: string;
  /** The flag's value as it was given. */
  readonly text: string;
  /** Undefined is every address of the host, IPv4 and IPv6. */
  readonly hostname: string | undefined;
  /** 0 lets the kernel choose. */
  readonly port: number;
}

export type MetricsOptions =
  | { readonly kind: "none" }
  | { readonly kind: "withHealth"; readonly path: string }
  | { readonly kind: "separate"; readonly listen: Listener; readonly path: string };

export interface LogOptions {
  readonly format: "text" | "json";
  readonly verbosity: number;
  readonly vmodule: readonly VmodulePattern[];
}

/**
 * The longest probe timeout: 596 hours. A timer that is set further ahead than 31 bits of milliseconds fires at once, and
 * these leave half an hour for timers that run longer than a probe.
 */
export const MAX_PROBE_TIMEOUT_MS = 2_145_600_000;

/**
 * Makes options of the flags that were given; the others have their defaults.
 *
 * What can never work is refused here, at start. The Go sidecar refuses some of it, panics over a metrics path, and
 * waits for ever on an address or a timeout that cannot work.
 *
 * @param values the text of each given flag, as `readArgv` returns it
 * @throws {ConfigError} at the first flag that breaks a rule
 */
export function readOptions(values: Readonly<Record<string, string>>): Options {
  const read: Read = (name) => values[name] ?? flagDefault(name);
  const log = readLog(read);
  const listeners = readListeners(read);
  return {
    csiSocketPath: readCsiSocketPath(read),
    csiAddress: read("csi-address"),
    probeTimeoutMs: readProbeTimeoutMs(read),
    ...listeners,
    log,
  };
}

/** A flag's text, given or by default. */
export type Read = (name: FlagName) => string;

/** @throws {ConfigError} where `--csi-address` can never work */
export function readCsiSocketPath(read: Read): string {
  const address = parseCsiAddress(read("csi-address"));
  if (address.kind === "invalid") throw broken("csi-address", address.rule, read);
  return address.path;
}

/** @throws {ConfigError} where `--probe-timeout` is no time that can be waited for */
export function readProbeTimeoutMs(read: Read): number {
  const timeoutMs = parseDuration(read("probe-timeout"));
  if (timeoutMs === undefined) throw broken("probe-timeout", 'be a duration such as "3s"', read);
  if (timeoutMs <= 0) throw broken("probe-timeout", "be greater than zero", read);
  if (timeoutMs > MAX_PROBE_TIMEOUT_MS) {
    throw broken("probe-timeout", `be at most ${formatDuration(MAX_PROBE_TIMEOUT_MS)}`, read);
  }
  return timeoutMs;
}

function readListeners(read: Read): Pick<Options, "health" | "metrics"> {
  if (read("http-endpoint") !== "") {
    // Go compares texts: `--health-port=9808` is the default and no conflict.
    if (read("health-port") !== flagDefault("health-port")) throw exclusive("health-port");
    if (read("metrics-address") !== "") throw exclusive("metrics-address");
    return {
      health: readListener("http-endpoint", parseListenAddress, read),
      metrics: { kind: "withHealth", path: readMetricsPath(read) },
    };
  }
  const health = readListener("health-port", parseHealthPort, read);
  if (read("metrics-address") === "") return { health, metrics: { kind: "none" } };

  const listen = readListener("metrics-address", parseListenAddress, read);
  // `--health-port` holds every address, so that the port alone decides.
  if (listen.port !== 0 && listen.port === health.port) {
    throw broken("metrics-address", `have another port than --health-port ${health.text}`, read);
  }
  return { health, metrics: { kind: "separate", listen, path: readMetricsPath(read) } };
}

function readListener(name: FlagName, parse: (text: string) => ListenAddress, read: Read): Listener {
  const text = read(name);
  const address = parse(text);
  if (address.kind === "invalid") throw broken(name, address.rule, read);
  return { flag: `--${name}`, text, hostname: address.hostname, port: address.port };
}

/** Only called where metrics are served: the Go sidecar does not look at the path elsewhere. */
function readMetricsPath(read: Read): string {
  const path = read("metrics-path");
  if (!path.startsWith("/")) throw broken("metrics-path", "begin with a slash", read);
  if (path === "/healthz") throw broken("metrics-path", "differ from the healthz endpoint", read);
  // RFC 3986's characters of a path, and no dot segment or empty one: no request's path, once normalised, has those.
  if (!/^[\w\-.~!$&'()*+,;=:@/]+$/.test(path) || /\/\/|\/\.{1,2}(\/|$)/.test(path)) {
    throw broken("metrics-path", "be a plain URL path, such as /metrics", read);
  }
  return path;
}

function readLog(read: Read): LogOptions {
  refuseAlphaFeatures(read);
  const flushMs = parseDuration(read("log-flush-frequency"));
  if (flushMs === undefined || flushMs <= 0) {
    // Go's words, which people search for.
    throw new ConfigError(
      `--log-flush-frequency: Must be greater than zero, got ${quote(read("log-flush-frequency"))}`,
    );
  }
  const format = read("logging-format");
  if (format !== "text" && format !== "json") throw broken("logging-format", "be text or json", read);

  const vmodule = parseVmodule(read("vmodule"));
  if (vmodule.kind === "invalid") throw broken("vmodule", "have the form pattern=N,...", read);
  if (format === "json" && vmodule.patterns.length > 0) {
    throw new ConfigError(
      `--vmodule must not be given with --logging-format=json, got ${quote(read("vmodule"))} (vmodule: Forbidden: Only supported for text log format)`,
    );
  }
  return { format, verbosity: Number(read("v")), vmodule: vmodule.patterns };
}

function refuseAlphaFeatures(read: Read): void {
  for (const name of ["log-text-split-stream", "log-json-split-stream"] as const) {
    if (parseBool(read(name)) !== false) throw alpha(name, "false", read);
  }
  for (const name of ["log-text-info-buffer-size", "log-json-info-buffer-size"] as const) {
    // Zero in any unit has no digit but zeros before it.
    if (/^[-+]?[0.]*[1-9]/.test(read(name))) throw alpha(name, "0", read);
  }
}

function broken(name: FlagName, rule: string, read: Read): ConfigError {
  return new ConfigError(`--${name} must ${rule}, got ${quote(read(name))}`);
}

function alpha(name: FlagName, only: string, read: Read): ConfigError {
  const got = quote(read(name));
  return new ConfigError(
    `--${name} must be ${only}, got ${got}: it belongs to an alpha feature that is off; drop the flag`,
  );
}

// The Go sidecar's words.
function exclusive(name: FlagName): ConfigError {
  return new ConfigError(`Only one of \`--${name}\` and \`--http-endpoint\` can be explicitly set`);
}
