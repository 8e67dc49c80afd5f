import { dashed, flagsOf, operandsOf, SERVE } from "./argv";
import type { Args, Command, Commands, Flag } from "./command";

/** A word that may follow on a command line, and what it is. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** What may follow on a command line. In `--flag=VALUE` it is the value alone. */
export type Completion =
  | { readonly kind: "words"; readonly words: readonly Candidate[] }
  /** The shell knows these. */
  | { readonly kind: "files" | "directories" }
  | {
      readonly kind: "drivers";
      readonly typed: string;
      /** The values of these flags, if they are on the line. */
      readonly rootDir: string | undefined;
      readonly kubeletDirs: readonly string[];
    };

const NOTHING: Completion = { kind: "words", words: [] };

/**
 * Finds what may follow on a command line that need not be complete, or right.
 *
 * @param line up to the cursor, as it was typed; it begins with the name of the program
 */
export async function completeLine(line: string, commands: Commands): Promise<Completion> {
  const [, ...words] = splitLine(line);
  const typed = words.pop() ?? "";
  const [first = typed] = words;
  if (words.length === 0 && !typed.startsWith("-")) return await completeCommands(typed, commands);
  const isImplied = first.startsWith("-");
  const name = isImplied ? SERVE : first;
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) return NOTHING;
  const command = await load();
  const { expected, given } = readWords(command, isImplied ? words : words.slice(1), typed);
  switch (expected.kind) {
    case "flag":
      return { kind: "words", words: startingWith(typed, flagNames(command.args, typed)) };
    case "boolean":
      return { kind: "words", words: startingWith(expected.typed, namedOnly(["true", "false"])) };
    case "value":
      return await completeValue(expected, given, commands);
    case "nothing":
      return NOTHING;
  }
  return expected satisfies never;
}

/** What a word at the cursor is. */
type Expected =
  | { readonly kind: "flag" | "nothing" }
  | { readonly kind: "boolean"; readonly typed: string }
  | { readonly kind: "value"; readonly hint: string; readonly typed: string };

interface Read {
  readonly expected: Expected;
  readonly given: ReadonlyMap<string, readonly string[]>;
}

/** Follows the rules of `readArgv`, but passes over what it would refuse. */
function readWords({ meta, args }: Command, words: readonly string[], typed: string): Read {
  const given = new Map<string, readonly string[]>();
  let operands = 0;
  let flagsEnded = false;
  let open: readonly [name: string, flag: Flag & { readonly type: "string" }] | undefined;
  for (const word of words) {
    if (open !== undefined) {
      const [name] = open;
      given.set(name, [...(given.get(name) ?? []), word]);
      open = undefined;
    } else if (flagsEnded || !isFlag(word)) {
      operands += 1;
      flagsEnded ||= meta.name === SERVE;
    } else if (word === "--") flagsEnded = true;
    else {
      const { name, flag, inline } = readFlag(word, args);
      if (flag?.type === "string" && inline !== undefined) given.set(name, [...(given.get(name) ?? []), inline]);
      else if (flag?.type === "string") open = [name, flag];
    }
  }
  return { given, expected: expectedAt({ args, operands, flagsEnded, hint: open?.[1].valueHint }, typed) };
}

interface Position {
  readonly args: Args;
  readonly operands: number;
  readonly flagsEnded: boolean;
  /** Of the flag whose value comes next. */
  readonly hint: string | undefined;
}

function expectedAt({ args, operands, flagsEnded, hint }: Position, typed: string): Expected {
  if (hint !== undefined) return { kind: "value", hint, typed };
  if (!flagsEnded && typed.startsWith("-")) {
    const { flag, inline } = readFlag(typed, args);
    if (inline === undefined) return { kind: "flag" };
    if (flag === undefined) return { kind: "nothing" };
    return flag.type === "boolean"
      ? { kind: "boolean", typed: inline }
      : { kind: "value", hint: flag.valueHint, typed: inline };
  }
  const operand = operandsOf(args)[operands];
  return operand === undefined ? { kind: "nothing" } : { kind: "value", hint: operand.valueHint, typed };
}

function isFlag(word: string): boolean {
  return word.length > 1 && word.startsWith("-");
}

function readFlag(word: string, args: Args) {
  const [, written = "", inline] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const [name = written, flag] = flagsOf(args).find(([each, { alias }]) => each === written || alias === written) ?? [];
  return { name, flag, inline };
}

/** By what the help prints for a value. */
async function completeValue(
  { hint, typed }: { readonly hint: string; readonly typed: string },
  given: Read["given"],
  commands: Commands,
): Promise<Completion> {
  const drivers = (): Completion => ({
    kind: "drivers",
    typed,
    rootDir: given.get("root")?.at(-1),
    kubeletDirs: given.get("kubelet-dir") ?? [],
  });
  const name = hint.replace(/^\[|\]$/g, "");
  switch (name) {
    case "ADDRESS|DRIVER":
      return typed.includes("/") ? { kind: "files" } : drivers();
    case "NAME":
      return drivers();
    case "PATH":
    case "FILE":
      return { kind: "files" };
    case "DIR":
    case "DEST":
      return { kind: "directories" };
    case "COMMAND":
      return await completeCommands(typed, commands);
    default: {
      const isEnum = /^[a-z]+(\|[a-z]+)+$/.test(name);
      return isEnum ? { kind: "words", words: startingWith(typed, namedOnly(name.split("|"))) } : NOTHING;
    }
  }
}

async function completeCommands(typed: string, commands: Commands): Promise<Completion> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const named = all.map(({ meta }) => ({ word: meta.name, about: meta.description }));
  return { kind: "words", words: startingWith(typed, named) };
}

/** Without those that nobody should write any more, and with one dash where one was typed, which Go takes too. */
function flagNames(args: Args, typed: string): readonly Candidate[] {
  const flags = flagsOf(args).filter(([, { group }]) => group !== "Deprecated" && group !== "Accepted and ignored");
  return flags.map(([name, { description }]) => ({
    word: /^-[^-]/.test(typed) ? `-${name}` : dashed(name),
    about: description,
  }));
}

function namedOnly(words: readonly string[]): readonly Candidate[] {
  return words.map((word) => ({ word, about: "" }));
}

export function startingWith(typed: string, all: readonly Candidate[]): readonly Candidate[] {
  return all.filter(({ word }) => word.startsWith(typed));
}

const WORD = /(?:\\.?|'[^']*'?|"(?:\\.|[^"\\])*"?|[^\s\\'"])+/gs;
const QUOTED = /\\(.?)|'([^']*)'?|"((?:\\.|[^"\\])*)"?/gs;

/**
 * Splits a line as a POSIX shell does, but expands nothing. The last word is the one at the cursor, and may be empty.
 */
function splitLine(line: string): readonly string[] {
  const found = [...line.matchAll(WORD)];
  const words = found.map(([word]) => word.replace(QUOTED, unquote));
  const last = found.at(-1);
  const isBehindWord = last === undefined || last.index + last[0].length < line.length;
  return isBehindWord ? [...words, ""] : words;
}

function unquote(_: string, escaped?: string, single?: string, double = ""): string {
  return escaped ?? single ?? double.replace(/\\([$`"\\])/g, "$1");
}
