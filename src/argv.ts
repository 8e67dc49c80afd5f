import { parseDuration } from "./duration";
import type { Flag } from "./flags";
import type { VmodulePattern } from "./log/record";
import { parseQuantity } from "./quantity";
import { quote } from "./text";

/** What a command line asks for. */
export type Argv =
  | {
      readonly kind: "run";
      readonly command: string;
      /** The text of each flag that was given, well-formed for its type; a bare bool is `true`. */
      readonly values: Readonly<Record<string, string>>;
      /** The words after the flags' end. Nothing reads them; a manifest that has some is mistaken about them. */
      readonly stray: readonly string[];
    }
  | { readonly kind: "help"; readonly command: string }
  | { readonly kind: "version" }
  | { readonly kind: "refused"; readonly message: string };

/** The command where none is named: the Go sidecar has no commands, and its manifests begin with flags. */
export const IMPLIED_COMMAND = "serve";

/** The largest verbosity: Kubernetes logging keeps it in 31 bits. */
export const MAX_VERBOSITY = 2_147_483_647;

export type Vmodule =
  | { readonly kind: "patterns"; readonly patterns: readonly VmodulePattern[] }
  | { readonly kind: "invalid"; readonly complaint: string };

/**
 * Reads a command line in the syntax of Go's `flag` package, after a command that may be left out.
 *
 * `-f` and `--f` are one; a value follows `=` or is the next word, whatever that looks like; a bool never takes the next
 * word; the last of several wins, but `vmodule` adds up; the first word that is no flag, or `--`, ends the flags. What
 * comes first counts: help before an error is help. Messages are Go's.
 *
 * Unlike the Go sidecar, which drops it silently, a first word that is no command is refused.
 *
 * @param argv the words after the program's name
 */
export function readArgv(argv: readonly string[], flags: readonly Flag[], commands: readonly string[]): Argv {
  const first = argv[0];
  if (first === undefined || first.startsWith("-")) return readFlags(IMPLIED_COMMAND, argv, flags);
  if (commands.includes(first)) return readFlags(first, argv.slice(1), flags);
  return refused(`unknown command ${quote(first)}: the commands are ${commands.join(", ")}; see --help`);
}

/** Reads a bool as Go's `strconv.ParseBool` does; undefined for any other word. */
export function parseBool(text: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  return undefined;
}

/** Reads `pattern=N,...`; empty items, such as after a trailing comma, are skipped. */
export function parseVmodule(text: string): Vmodule {
  const patterns: VmodulePattern[] = [];
  for (const item of text.split(",").filter((part) => part !== "")) {
    const [pattern = "", verbosity = "", ...more] = item.split("=");
    if (pattern === "" || verbosity === "" || more.length > 0) {
      return { kind: "invalid", complaint: `${quote(item)} does not have the pattern=N format` };
    }
    const complaint = complainOfUint(verbosity);
    if (complaint !== undefined) {
      return { kind: "invalid", complaint: `parsing verbosity in ${quote(item)}: ${complaint}` };
    }
    patterns.push({ pattern, verbosity: Number(verbosity) });
  }
  return { kind: "patterns", patterns };
}

function readFlags(command: string, words: readonly string[], flags: readonly Flag[]): Argv {
  const values = new Map<string, string>();
  let step = readStep(words, flags);
  for (; step.kind === "set"; step = readStep(step.rest, flags)) {
    const before = step.flag.type === "vmodule" ? values.get(step.flag.name) : undefined;
    values.set(step.flag.name, before === undefined ? step.value : `${before},${step.value}`);
  }
  switch (step.kind) {
    case "end":
      return { kind: "run", command, values: Object.fromEntries(values), stray: step.stray };
    case "help":
      return { kind: "help", command };
    case "version":
    case "refused":
      return step;
  }
  step satisfies never;
}

type Step =
  | { readonly kind: "set"; readonly flag: Flag; readonly value: string; readonly rest: readonly string[] }
  | { readonly kind: "end"; readonly stray: readonly string[] }
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "refused"; readonly message: string };

function readStep(words: readonly string[], flags: readonly Flag[]): Step {
  const [word = "", ...rest] = words;
  if (word === "--") return { kind: "end", stray: rest };
  if (word.length < 2 || !word.startsWith("-")) return { kind: "end", stray: words };

  const body = word.replace(/^--?/, "");
  if (/^[-=]/.test(body)) return refused(`bad flag syntax: ${word}`);
  const equals = body.indexOf("=");
  const name = equals < 0 ? body : body.slice(0, equals);
  const inline = equals < 0 ? undefined : body.slice(equals + 1);

  if (name === "help" || name === "h") return { kind: "help" };
  const flag = flags.find((candidate) => candidate.name === name);
  if (flag === undefined) return refused(`flag provided but not defined: -${name}`);
  return flag.type === "bool" ? readBoolStep(flag, inline ?? "true", rest) : readValueStep(flag, inline, rest);
}

function readBoolStep(flag: Flag, value: string, rest: readonly string[]): Step {
  const complaint = complainOf(flag, value);
  if (complaint !== undefined) return refused(`invalid boolean value ${quote(value)} for -${flag.name}: ${complaint}`);
  if (flag.name === "version" && parseBool(value) === true) return { kind: "version" };
  return { kind: "set", flag, value, rest };
}

function readValueStep(flag: Flag, inline: string | undefined, rest: readonly string[]): Step {
  const value = inline ?? rest[0];
  if (value === undefined) return refused(`flag needs an argument: -${flag.name}`);
  const complaint = complainOf(flag, value);
  if (complaint !== undefined) return refused(`invalid value ${quote(value)} for flag -${flag.name}: ${complaint}`);
  return { kind: "set", flag, value, rest: inline === undefined ? rest.slice(1) : rest };
}

/** Why `text` is no value of the flag's type, in the words of the Go function that would read it. */
function complainOf(flag: Flag, text: string): string | undefined {
  switch (flag.type) {
    case "string":
      return undefined;
    case "bool":
      return parseBool(text) === undefined ? `strconv.ParseBool: parsing ${quote(text)}: invalid syntax` : undefined;
    case "uint":
      return complainOfUint(text);
    case "duration":
      return parseDuration(text) === undefined ? "parse error" : undefined;
    case "quantity":
      return parseQuantity(text) === undefined ? complainOfQuantity(text) : undefined;
    case "vmodule": {
      const vmodule = parseVmodule(text);
      return vmodule.kind === "invalid" ? vmodule.complaint : undefined;
    }
  }
  flag.type satisfies never;
}

// Go reads digit by digit, so a number that is too large is told before a letter behind it.
function complainOfUint(text: string): string | undefined {
  const digits = /^\d*/.exec(text)?.[0] ?? "";
  if (Number(digits) > MAX_VERBOSITY) return `strconv.ParseUint: parsing ${quote(text)}: value out of range`;
  if (digits === "" || digits !== text) return `strconv.ParseUint: parsing ${quote(text)}: invalid syntax`;
  return undefined;
}

function complainOfQuantity(text: string): string {
  if (/^[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*$/.test(text)) return "unable to parse quantity's suffix";
  return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
}

function refused(message: string): { readonly kind: "refused"; readonly message: string } {
  return { kind: "refused", message };
}
