import { suggest } from "../base/suggest";
import { wrapWords } from "../terminal/layout";
import { dashed, flagsOf, operandsOf } from "./argv";
import type { Args, Command, Flag, UnknownWord } from "./command";

const WIDTH = 80;

/** The whole help: the commands, then the flags of the one that is implied, by group. */
export function renderHelp(about: string, implied: Command, commands: readonly Command[]): string {
  return sections([
    ["Usage: livenessprobe [COMMAND] [--FLAG=VALUE]...", ...wrap(about, 0)],
    [`Commands (default: ${implied.meta.name}; COMMAND --help prints a command's flags):`, ...renderCommands(commands)],
    [`The flags of ${implied.meta.name}:`],
    ...renderGroups(implied.args),
  ]);
}

/** The help of one command, in the same form. */
export function renderCommandHelp({ meta, args, notes = [] }: Command): string {
  const operands = operandsOf(args);
  const usage = ["Usage: livenessprobe", meta.name, ...operands.map(({ valueHint }) => valueHint)];
  return sections([
    [[...usage, "[--FLAG=VALUE]..."].join(" "), ...wrap(meta.description, 0)],
    ...operands.map(({ valueHint, description }) => wrap(`${valueHint.replace(/^\[|\]$/g, "")}: ${description}.`, 0)),
    ...renderGroups(args),
    ...(notes.length > 0 ? [notes] : []),
  ]);
}

/** What to do about a word that is not known, as the end of a message. */
export function adviceOn({ word, known, otherwise }: UnknownWord): string {
  const names = known.map((each) => each.replace(/^--?/, ""));
  const habit = habitOf(word, names);
  if (habit !== undefined) return `did you mean ${habit}?`;
  const meant = known[names.indexOf(suggest(word, names) ?? "")];
  return meant === undefined ? otherwise : `did you mean ${meant}?`;
}

/** How a flag is written here that has another form in other programs; undefined where the command has none such. */
function habitOf(word: string, flags: readonly string[]): string | undefined {
  if (word === "V") return flags.includes("version") ? "--version" : undefined;
  const [, value] = /^o?(json|(?<=o)(?:yaml|wide|table))$/.exec(word) ?? [];
  if (value === undefined) return undefined;
  // Of a report it is a file.
  if (flags.includes("output")) return flags.includes("redact") ? undefined : `-o ${value}`;
  return value === "json" && flags.includes("logging-format") ? "--logging-format=json" : undefined;
}

function sections(all: readonly (readonly string[])[]): string {
  return `${all.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function renderGroups(args: Args): readonly (readonly string[])[] {
  const flags = flagsOf(args);
  const groups = [...new Set(flags.map(([, { group }]) => group))];
  return groups.map((group) => [`${group}:`, ...flags.filter(([, flag]) => flag.group === group).flatMap(renderFlag)]);
}

function renderCommands(commands: readonly Command[]): readonly string[] {
  const column = 4 + Math.max(...commands.map(({ meta }) => meta.name.length));
  return commands.flatMap(({ meta }) => {
    const [first = "", ...more] = wrap(meta.description, column);
    return [`  ${meta.name}`.padEnd(column) + first.trimStart(), ...more];
  });
}

function renderFlag([name, flag]: readonly [string, Flag]): readonly string[] {
  const names = [...(flag.alias === undefined ? [] : [flag.alias]), name].map(dashed).join(", ");
  const deprecated = flag.deprecated === undefined ? "" : `Deprecated: use ${flag.deprecated}. `;
  const value = flag.type === "boolean" ? "" : ` ${flag.valueHint}`;
  const fallback = flag.type === "boolean" || !flag.default ? "" : ` Default: ${flag.default}`;
  return [`  ${names}${value}`, ...wrap(`${deprecated}${flag.description}${fallback}`, 6)];
}

/** Lines of at most 80 columns, each `indent` spaces in. */
function wrap(text: string, indent: number): readonly string[] {
  return wrapWords(text, WIDTH - indent).map((line) => " ".repeat(indent) + line);
}
