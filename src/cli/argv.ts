import { escapeUnprintable, quote } from "../base/text";
import {
  type Args,
  type Command,
  type CommandLine,
  type Commands,
  type Flag,
  type Operand,
  UsageError,
} from "./command";

/** What a cluster runs. It is meant too where no command is named, as by the Go sidecar's manifests. */
export const SERVE = "serve";

type Value = string | boolean | readonly string[] | undefined;

/** A command line that was read: the command's name, and what its `run` takes. */
export interface Argv extends CommandLine<Readonly<Record<string, Value>> & { readonly _: readonly string[] }> {
  readonly name: string;
}

/**
 * Reads a command line in the syntax of Go's `flag` package: `-f` and `--f` are one; a value follows `=` or is the next
 * word, whatever that looks like; a bool never takes the next word; the last of several wins, unless the flag has a
 * separator; `--` ends the flags. For `serve` the first word that is no flag ends them too, as in Go; the other
 * commands take flags and operands in any order. Help or version before an error is no error.
 *
 * @throws {UsageError} at the first word that cannot be read, and at a command's name in the wrong place
 */
export async function readArgv(argv: readonly string[], commands: Commands): Promise<Argv> {
  const [first = "", ...rest] = argv;
  if (first === SERVE || !isServe(argv)) return readWords(await loadCommand(first, commands), rest);
  const meant = argv.find((word) => Object.hasOwn(commands, word));
  const otherwise = `the command comes first: livenessprobe ${meant} ...`;
  try {
    const line = readWords(await loadCommand(SERVE, commands), argv);
    if (meant === undefined || line.args._[0] !== meant) return line;
  } catch (error) {
    if (meant === undefined || !(error instanceof UsageError) || error.unknown === undefined) throw error;
    throw new UsageError(error.message, { ...error.unknown, otherwise });
  }
  throw new UsageError(`unexpected word ${quote(meant)}`, { word: meant, known: [], otherwise });
}

export function isServe([first]: readonly string[]): boolean {
  return first === undefined || first === SERVE || first.startsWith("-");
}

/** @throws {UsageError} where no command has the name */
export function loadCommand(name: string, commands: Commands): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load !== undefined) return load();
  const known = Object.keys(commands);
  const otherwise = `the commands are ${known.join(", ")}`;
  throw new UsageError(`unknown command ${quote(name)}`, { word: name, known, otherwise });
}

/** Reads a bool as Go's `strconv.ParseBool` does; undefined for any other word. */
export function parseBool(text: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  return undefined;
}

/** The flags among a command's arguments. */
export function flagsOf(args: Args): readonly (readonly [name: string, flag: Flag])[] {
  return Object.entries(args).flatMap(([name, arg]) => (arg.type === "positional" ? [] : [[name, arg] as const]));
}

export function operandsOf(args: Args): readonly Operand[] {
  return Object.values(args).filter((arg) => arg.type === "positional");
}

/** A flag as it is written: `--name`, or `-n` for a single letter. */
export function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

function readWords(command: Command, argv: readonly string[]): Argv {
  const { name } = command.meta;
  const values = new Map<string, string>();
  const operands: string[] = [];
  for (let rest = argv; ;) {
    const [word, ...after] = rest;
    const isOperand = word !== undefined && (word.length < 2 || !word.startsWith("-"));
    if (word === undefined || word === "--" || (isOperand && name === SERVE)) {
      operands.push(...(isOperand ? rest : after));
      break;
    }
    if (isOperand) {
      operands.push(word);
      rest = after;
      continue;
    }
    const given = readFlag(word, after, command);
    if (given.name === "help") return { name: "help", args: { _: [], command: name }, given: {} };
    if (given.name === "version" && given.value === "true") return { name: "version", args: { _: [] }, given: {} };
    const before = given.separator === undefined ? undefined : values.get(given.name);
    values.set(given.name, before === undefined ? given.value : `${before}${given.separator}${given.value}`);
    rest = given.rest;
  }
  if (name !== SERVE) checkOperands(command, operands);
  return { name, args: valuesOf(command.args, values, operands), given: Object.fromEntries(values) };
}

function valuesOf(args: Args, given: ReadonlyMap<string, string>, operands: readonly string[]): Argv["args"] {
  const words = operands.values();
  const values = Object.entries(args).map(([name, arg]) => {
    if (arg.type === "positional") return [name, words.next().value];
    const text = given.get(name);
    return [name, arg.type === "boolean" && text !== undefined ? text === "true" : (text ?? arg.default)];
  });
  return { ...Object.fromEntries(values), _: operands };
}

/** The first flag, and the words behind it and its value. */
function readFlag(word: string, after: readonly string[], { meta, args }: Command) {
  const body = word.replace(/^--?/, "");
  if (/^[-=]/.test(body)) {
    throw new UsageError(`bad flag syntax: ${escapeUnprintable(word)}; write --FLAG or --FLAG=VALUE`);
  }
  const [, written = "", inline] = /^([^=]*)(?:=(.*))?$/s.exec(body) ?? [];
  if (written === "help" || written === "h") return { name: "help", value: "true", separator: undefined, rest: after };

  const flags = flagsOf(args);
  const [name, flag] = flags.find(([each, { alias }]) => each === written || alias === written) ?? [];
  if (name === undefined || flag === undefined) {
    const known = flags.map(([each]) => dashed(each));
    const otherwise = `see livenessprobe ${meta.name === SERVE ? "" : `${meta.name} `}--help`;
    const message = `flag provided but not defined: -${escapeUnprintable(written)}`;
    throw new UsageError(message, { word: written, known, otherwise });
  }
  if (flag.type === "boolean") {
    const value = parseBool(inline ?? "true");
    if (value === undefined) {
      throw new UsageError(`${dashed(name)} must be true or false, got ${quote(inline ?? "")}`);
    }
    return { name, value: String(value), separator: undefined, rest: after };
  }
  const [next, ...behind] = inline === undefined ? after : [inline, ...after];
  if (next === undefined) {
    throw new UsageError(`flag needs an argument: -${name}; write ${dashed(name)}=${flag.valueHint}`);
  }
  return { name, value: next, separator: flag.separator, rest: behind };
}

function checkOperands({ meta, args }: Command, given: readonly string[]): void {
  const operands = operandsOf(args);
  const stray = given[operands.length];
  if (stray !== undefined) {
    const takes = operands.length === 0 ? "flags only" : operands.map(({ valueHint }) => valueHint).join(" ");
    const instead = "driver" in args ? "; for one driver write --driver NAME, or livenessprobe inspect NAME" : "";
    throw new UsageError(`unexpected word ${quote(stray)}: ${meta.name} takes ${takes}${instead}`);
  }
  const missing = operands.slice(given.length).find(({ required }) => required);
  if (missing === undefined) return;
  throw new UsageError(`${meta.name} needs ${missing.valueHint}: ${missing.description}`);
}
