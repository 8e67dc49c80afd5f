import { parseDuration } from "../base/duration";
import { FLAGS, type Flag, type FlagType } from "./flags";
import type { VmodulePattern } from "../log/record";
import { escapeUnprintable, quote } from "../base/text";

/** What a command line asks for. */
/** What a command was given. */
export interface CommandLine {
  /** The text of each flag that was given, well-formed for its type; a bare bool is `true`. */
  readonly values: Readonly<Record<string, string>>;
  /** The words that are no flags and belong to none. `serve` reads none of them: they stand behind the flags' end. */
  readonly words: readonly string[];
}

export type Argv =
  | ({ readonly kind: "run"; readonly command: string } & CommandLine)
  | { readonly kind: "help"; readonly command: string }
  | { readonly kind: "version" }
  | Refused;

export interface Refused {
  readonly kind: "refused";
  /** Undefined where it is the command that is not known. */
  readonly command: string | undefined;
  readonly message: string;
  /** The word that is not known, and those that are. */
  readonly unknown?: { readonly word: string; readonly known: readonly string[] };
  /** What to write instead, worded to follow "write". */
  readonly instead?: string;
}

/** What a command takes. */
export interface CommandSyntax {
  readonly name: string;
  readonly flags: readonly Flag[];
  /**
   * `go`: the first word that is no flag ends the flags, as in Go's `flag` package. `mixed`: flags and words in any order,
   * as in kubectl, and no more words than have a name here.
   */
  readonly words: { readonly kind: "go" } | { readonly kind: "mixed"; readonly names: readonly string[] };
}

/** What a cluster runs; without a command's name it is meant too, for the Go sidecar has no commands. */
export const SERVE = { name: "serve", flags: FLAGS, words: { kind: "go" } } as const satisfies CommandSyntax;

/** Commands that are answered from the command line alone: `help [COMMAND]` and `version`. */
export const WORDS_FOR_FLAGS = ["help", "version"] as const;

/** The largest verbosity: Kubernetes logging keeps it in 31 bits. */
export const MAX_VERBOSITY = 2_147_483_647;

export type Vmodule =
  | { readonly kind: "patterns"; readonly patterns: readonly VmodulePattern[] }
  | { readonly kind: "invalid"; readonly complaint: string };

/**
 * Reads a command line in the syntax of Go's `flag` package, after a command that may be left out.
 *
 * `-f` and `--f` are one; a value follows `=` or is the next word, whatever that looks like; a bool never takes the next
 * word; the last of several wins, but a flag that repeats adds up; `--` ends the flags. What comes first counts: help before an
 * error is help, and of several errors the first is told. Messages are Go's.
 *
 * Unlike the Go sidecar, which drops it silently, a first word that is no command is refused.
 *
 * @param argv the words after the program's name
 * @param commands the implied one is the first
 */
export function readArgv(argv: readonly string[], commands: readonly CommandSyntax[]): Argv {
  const [first, ...rest] = argv;
  const [implied] = commands;
  if (implied !== undefined && (first === undefined || first.startsWith("-"))) return readCommand(implied, argv);
  const command = commands.find(({ name }) => name === first);
  if (command !== undefined) return readCommand(command, rest);
  if (first === "help") return readHelp(rest, commands);
  if (first === "version") return readVersion(rest);
  return unknownCommand(first ?? "", commands);
}

function readHelp([name = SERVE.name, stray]: readonly string[], commands: readonly CommandSyntax[]): Argv {
  if (stray !== undefined) return { ...unexpected(stray, "help", "[COMMAND]"), command: "help" };
  if (isHelp(name) || WORDS_FOR_FLAGS.some((word) => word === name)) return { kind: "help", command: SERVE.name };
  const command = commands.find((candidate) => candidate.name === name);
  return command === undefined ? unknownCommand(name, commands) : { kind: "help", command: command.name };
}

function readVersion([stray]: readonly string[]): Argv {
  if (stray === undefined) return { kind: "version" };
  return isHelp(stray)
    ? { kind: "help", command: SERVE.name }
    : { ...unexpected(stray, "version"), command: "version" };
}

function unknownCommand(word: string, commands: readonly CommandSyntax[]): Refused {
  const known = [...commands.map(({ name }) => name), ...WORDS_FOR_FLAGS];
  return { ...refused(`unknown command ${quote(word)}`), command: undefined, unknown: { word, known } };
}

function unexpected(word: string, command: string, takes = "no words"): RefusedStep {
  return refused(`unexpected word ${quote(word)}: ${command} takes ${takes}`);
}

function isHelp(word: string): boolean {
  return /^--?h(elp)?$/.test(word);
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

function readCommand(command: CommandSyntax, argv: readonly string[]): Argv {
  const { name, flags, words: taken } = command;
  const values = new Map<string, string>();
  const words: string[] = [];
  for (let rest = argv; ;) {
    const step = readStep(rest, flags);
    switch (step.kind) {
      case "set":
        values.set(step.flag.name, joined(step.flag, values.get(step.flag.name), step.value));
        rest = step.rest;
        continue;
      case "word":
        words.push(...(taken.kind === "go" ? rest : rest.slice(0, 1)));
        rest = taken.kind === "go" ? [] : rest.slice(1);
        continue;
      case "end":
        words.push(...step.words);
        return tooMany(command, words) ?? { kind: "run", command: name, values: Object.fromEntries(values), words };
      case "help":
        return { kind: "help", command: name };
      case "version":
        return step;
      case "refused":
        return { ...step, command: name };
    }
    return step satisfies never;
  }
}

/** What stands between the values of a flag that may be repeated. */
const BETWEEN: Readonly<Partial<Record<FlagType, string>>> = { vmodule: ",", list: "\n" };

function joined(flag: Flag, before: string | undefined, value: string): string {
  const between = BETWEEN[flag.type];
  return before === undefined || between === undefined ? value : `${before}${between}${value}`;
}

function tooMany({ name, words: taken }: CommandSyntax, words: readonly string[]): Refused | undefined {
  if (taken.kind === "go") return undefined;
  const stray = words[taken.names.length];
  if (stray === undefined) return undefined;
  const takes = taken.names.length === 0 ? undefined : taken.names.join(" ");
  return { ...unexpected(stray, name, takes), command: name };
}

type Step =
  | { readonly kind: "set"; readonly flag: Flag; readonly value: string; readonly rest: readonly string[] }
  /** The next word is no flag. */
  | { readonly kind: "word" }
  | { readonly kind: "end"; readonly words: readonly string[] }
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | RefusedStep;

type RefusedStep = Omit<Refused, "command">;

function readStep(words: readonly string[], flags: readonly Flag[]): Step {
  const [word, ...rest] = words;
  if (word === undefined) return { kind: "end", words: [] };
  if (word === "--") return { kind: "end", words: rest };
  if (word.length < 2 || !word.startsWith("-")) return { kind: "word" };

  const body = word.replace(/^--?/, "");
  if (/^[-=]/.test(body)) return refused(`bad flag syntax: ${escapeUnprintable(word)}`);
  const equals = body.indexOf("=");
  const name = equals < 0 ? body : body.slice(0, equals);
  const inline = equals < 0 ? undefined : body.slice(equals + 1);

  if (name === "help" || name === "h") return { kind: "help" };
  const flag = flags.find((candidate) => candidate.name === name || candidate.short === name);
  if (flag === undefined) {
    const known = flags.map((candidate) => candidate.name);
    return { ...refused(`flag provided but not defined: -${escapeUnprintable(name)}`), unknown: { word: name, known } };
  }
  return flag.type === "bool" ? readBoolStep(flag, inline ?? "true", rest) : readValueStep(flag, inline, rest);
}

function readBoolStep(flag: Flag, value: string, rest: readonly string[]): Step {
  const complaint = complainOf(flag, value);
  if (complaint !== undefined) {
    return refused(`invalid boolean value ${quote(value)} for -${flag.name}: ${complaint}`, "true or false");
  }
  if (flag.name === "version" && parseBool(value) === true) return { kind: "version" };
  return { kind: "set", flag, value, rest };
}

function readValueStep(flag: Flag, inline: string | undefined, rest: readonly string[]): Step {
  const value = inline ?? rest[0];
  if (value === undefined) return refused(`flag needs an argument: -${flag.name}`);
  const complaint = complainOf(flag, value);
  if (complaint !== undefined) {
    const instead = flag.type === "duration" ? durationInstead(value) : undefined;
    return refused(`invalid value ${quote(value)} for flag -${flag.name}: ${complaint}`, instead);
  }
  return { kind: "set", flag, value, rest: inline === undefined ? rest.slice(1) : rest };
}

/** Why `text` is no value of the flag's type, in the words of the Go function that would read it. */
function complainOf(flag: Flag, text: string): string | undefined {
  switch (flag.type) {
    case "string":
    case "list":
      return undefined;
    case "bool":
      return parseBool(text) === undefined ? `strconv.ParseBool: parsing ${quote(text)}: invalid syntax` : undefined;
    case "uint":
      return complainOfUint(text);
    case "duration":
      return parseDuration(text) === undefined ? "parse error" : undefined;
    case "quantity":
      return QUANTITY.test(text) ? undefined : complainOfQuantity(text);
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

/** Kubernetes' `resource.Quantity`. Its digits may be missing, and kilo is a small k. */
const QUANTITY = /^(?=.)[-+]?\d*(?:\.\d*)?(?:[KMGTPE]i|[numkMGTPE]|[eE][-+]?\d+)?$/;

function complainOfQuantity(text: string): string {
  if (/^[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*$/.test(text)) return "unable to parse quantity's suffix";
  return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
}

/** What was meant by a text that is no duration of Go's: its unit is missing, or it is one that Go does not have. */
function durationInstead(text: string): string {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(d?)$/.exec(text) ?? [];
  if (number === undefined) return "a number and its unit (ms, s, m or h), such as 3s";
  return unit === "d" ? `${Number(number) * 24}h` : `${number}s`;
}

function refused(message: string, instead?: string): RefusedStep {
  return { kind: "refused", message, ...(instead === undefined ? {} : { instead }) };
}
