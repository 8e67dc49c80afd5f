import type { ParsedArgs } from "citty";
import * as fc from "fast-check";
import { parseDuration } from "../../src/base/duration";
import { ConfigError } from "../../src/base/errors";
import { escapeUnprintable } from "../../src/base/text";
import { isServe, readArgv } from "../../src/cli/argv";
import { type Commands, UsageError } from "../../src/cli/command";
import { SERVE_FLAGS } from "../../src/cli/flags";
import { type Options, readOptions } from "../../src/cli/options";
import { anyText, mangled } from "../arbitraries";
import { startGoOracle } from "../go-oracle";
import { AGREES, compare, createTarget, same, wantedBecause, type Verdict } from "../target";

/** One of fuzz/oracle/argv.go. `values` are by flag, as Go prints them. */
type GoCommandLine =
  | { readonly kind: "help" }
  /** Words that cannot be read, and options of the log that Kubernetes' library refuses. */
  | { readonly kind: "usage" | "invalid"; readonly error: string }
  | { readonly kind: "read"; readonly values: Readonly<Record<string, string>>; readonly rest: readonly string[] };

type OurCommandLine =
  | { readonly kind: "help" | "version" }
  | { readonly kind: "usage" | "invalid"; readonly error: string }
  | { readonly kind: "read"; readonly args: ServeArgs; readonly options: Options; readonly rest: readonly string[] };

type ServeArgs = ParsedArgs<typeof SERVE_FLAGS>;

const BOOLS = ["true", "false", "T", "TRUE", "f", "1", "0", ""];
const ADDRESSES = [":9808", "localhost:80", "[::1]:0", "127.0.0.1:http", "", "9808"];
const DURATIONS = ["3s", "1h30m", "500ms", "0.5s", "596h", "0s", "-1s", "597h", "3", "1d"];
const SIZES = ["0", "0k", ".0", "0.", "-0", "+0m", "0e5", "0Ei", "00", "512", "1K", "0E", ""];
/** Values that fit a flag, and some that nearly do. */
const VALUES: Readonly<Record<keyof typeof SERVE_FLAGS, readonly string[]>> = {
  "csi-address": ["/csi/csi.sock", "unix:///csi.sock", "unix:/csi.sock", "csi.sock", "unix:", ""],
  "probe-timeout": DURATIONS,
  "http-endpoint": ADDRESSES,
  "metrics-path": ["/metrics", "/m", "metrics", "/healthz", "/a//b", ""],
  v: ["0", "5", "007", "2147483647", "2147483648", "+1", "-1", "1_0", "0x5", "4294967296", "٣", " 1"],
  vmodule: ["a=1", "a=1,b=2", "a=1,,b=2,", ",", "*=9", "=1", "a=", "a=b=1", "a=-1", "a= 1", "a=4294967296", ""],
  "logging-format": ["text", "json", "text", "json", "JSON", ""],
  version: BOOLS,
  help: BOOLS,
  "health-port": ["9808", "9808", "80", "http", "0", ":80", ""],
  "metrics-address": ADDRESSES,
  automaxprocs: BOOLS,
  "log-flush-frequency": DURATIONS,
  "log-text-split-stream": BOOLS,
  "log-json-split-stream": BOOLS,
  "log-text-info-buffer-size": SIZES,
  "log-json-info-buffer-size": SIZES,
};
const ALL_VALUES = Object.values(VALUES).flat();
const NAMES = [...Object.keys(SERVE_FLAGS), "h", "bogus", "", "V", "toString"];

const fitting = fc
  .constantFrom(...Object.entries(VALUES))
  .chain(([name, values]) => fc.tuple(fc.constant(name), fc.constantFrom(...values)));
const unfitting = fc.tuple(
  fc.oneof(fc.constantFrom(...NAMES), mangled(fc.constantFrom(...NAMES))),
  fc.oneof(fc.constantFrom(...ALL_VALUES), mangled(fc.constantFrom(...ALL_VALUES))),
);
const written = (given: fc.Arbitrary<[string, string]>, ...dashes: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...dashes), given, fc.constantFrom("=", "=", "=", " ", "", "=="))
    .map(([dash, [name, value], equals]) => {
      if (equals === "") return [dash + name];
      return equals === " " ? [dash + name, value] : [dash + name + equals + value];
    });
const flag = fc.oneof(
  { weight: 9, arbitrary: written(fitting, "--", "-") },
  { weight: 1, arbitrary: written(unfitting, "-", "--", "---", "") },
);
const stray = fc
  .oneof(fc.constantFrom("-", "--", "serve", "check", "help", "version", ...ALL_VALUES), anyText)
  .map((word) => [word]);
const inputs = fc
  .array(fc.oneof({ weight: 12, arbitrary: flag }, { weight: 1, arbitrary: stray }), { maxLength: 4 })
  .map((parts) => parts.flat());

export const argv = createTarget({
  name: "argv",
  against: "the flag package with the flags of the Go sidecar and Kubernetes' component-base",
  weight: 4,
  inputs,
  batchSize: 1_000,
  open: async () => compare(await startGoOracle<readonly string[], GoCommandLine>("argv"), verdictOn),
});

async function verdictOn(words: readonly string[], go: GoCommandLine): Promise<Verdict> {
  if (!isServe(words) || words[0] === "serve") return wantedBecause("a first word that is no flag names a command");
  const ours = await readOurs(words);
  switch (go.kind) {
    case "help":
      return same(ours.kind, "help");
    case "usage":
      return verdictOnUsage(words, ours, go.error);
    case "invalid":
      if (ours.kind === "help" || ours.kind === "version") return wantedBecause(HELP_FIRST);
      if (ours.kind !== "read") return AGREES;
      if (ONLY_SPLIT_STREAMS.test(go.error)) return wantedBecause("a split log is not behind a feature gate");
      return same(ours, go);
    case "read":
      return ours.kind === "read" ? sameValues(ours, go.values, go.rest) : verdictOnRefusal(ours, go.values);
  }
  return go satisfies never;
}

const ONLY_SPLIT_STREAMS = /^\[?(?:options\.(?:text|json)\.splitStream: [^,\]]+(?:, |\]|$))+$/;
const HELP_FIRST = "help and version are answered even where a value before them cannot be read";

function verdictOnUsage(words: readonly string[], ours: OurCommandLine, error: string): Verdict {
  if (error === "flag provided but not defined: -version") return wantedBecause("--version is ours");
  if (ours.kind === "help" || ours.kind === "version") return wantedBecause(HELP_FIRST);
  if (/^flag provided|^bad flag|^flag needs/.test(error)) {
    const isSame = ours.kind === "usage" && ours.error.startsWith(escapeUnprintable(error));
    return isSame ? AGREES : same(ours, { kind: "usage", error });
  }
  if (ours.kind === "read" || ours.kind === "invalid") {
    const [, flagName = ""] = / for flag -([\w-]+): /.exec(error) ?? [];
    const times = words.filter((word) => word.replace(/^--?/, "").replace(/=.*/s, "") === flagName).length;
    if (times > 1) return wantedBecause("of a flag that is given twice only the last value is read");
  }
  // Both refuse it; where several values are wrong, they may name different ones.
  return ours.kind === "read" ? same(ours, { kind: "usage", error }) : AGREES;
}

/** Rules of ours for what Go reads. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [
    /^--probe-timeout must be (greater than zero|at most)/,
    "with such a timeout no probe succeeds, or no timer can be set",
  ],
  [/^--csi-address must/, "a sidecar shares a socket with its driver: an absolute path that a socket can have"],
  [/^--metrics-path must/, "the Go sidecar panics with such a path, or no request has it"],
  [/^--(http-endpoint|metrics-address|health-port) must/, "nobody can listen there: see the target listen-addresses"],
  [/^Only one of/, "main of the Go sidecar refuses it too, behind its flags"],
  [/^unexpected word/, "a command's name among the words is most likely a mistake"],
];

function verdictOnRefusal(ours: Exclude<OurCommandLine, { readonly kind: "read" }>, values: unknown): Verdict {
  if (ours.kind !== "usage" && ours.kind !== "invalid") return same(ours, values);
  const [, reason = ""] = REFUSALS.find(([pattern]) => pattern.test(ours.error)) ?? [];
  return reason === "" ? same(ours, values) : wantedBecause(reason);
}

function sameValues(
  { args, options, rest }: Extract<OurCommandLine, { readonly kind: "read" }>,
  values: Readonly<Record<string, string>>,
  goRest: readonly string[],
): Verdict {
  const { version: _version, help: _help, ...flags } = args;
  const ours = Object.fromEntries(Object.entries(flags).filter(([each]) => each in SERVE_FLAGS));
  const texts = {
    ...ours,
    v: String(options.log.verbosity),
    vmodule: options.log.vmodule.map(({ pattern, verbosity }) => `${pattern}=${verbosity}`).join(","),
  };
  const theirs = Object.entries(values).map(([each, text]) => [each, typed(each, text)]);
  const sizes = Object.entries(texts).map(([each, text]) => [each, typed(each, text)]);
  const agree = same(Object.fromEntries(sizes), Object.fromEntries(theirs));
  return agree === AGREES ? same(rest, goRest) : agree;
}

/** Durations in milliseconds; sizes are all zero on both sides. */
function typed(flagName: string, text: unknown): unknown {
  if (typeof text !== "string") return text;
  if (flagName === "probe-timeout" || flagName === "log-flush-frequency") return parseDuration(text);
  if (flagName.endsWith("buffer-size")) return 0;
  return text === "true" || text === "false" ? text === "true" : text;
}

const NO_ARGS = async () => ({ meta: { name: "check", description: "" }, args: {}, run: () => 0 });
const COMMANDS: Commands = {
  serve: async () => ({ meta: { name: "serve", description: "" }, args: SERVE_FLAGS, run: () => 0 }),
  check: NO_ARGS,
  help: NO_ARGS,
  version: NO_ARGS,
};

async function readOurs(words: readonly string[]): Promise<OurCommandLine> {
  try {
    const line = await readArgv(words, COMMANDS);
    if (line.name === "help" || line.name === "version") return { kind: line.name };
    // They were read by this very definition.
    const args = line.args as ServeArgs;
    return { kind: "read", args, options: readOptions(args), rest: line.args._ };
  } catch (error) {
    if (error instanceof UsageError) return { kind: "usage", error: error.message };
    if (error instanceof ConfigError) return { kind: "invalid", error: error.message };
    throw error;
  }
}
