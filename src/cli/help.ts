import type { Flag, FlagType } from "./flags";

/** A command and what it does, in a line. */
export interface CommandHelp {
  readonly name: string;
  readonly help: string;
  /** What the help of this command alone has at its end. */
  readonly notes?: readonly string[];
}

/** A command with what it takes. */
export interface CommandUsage extends CommandHelp {
  readonly flags: readonly Flag[];
  /** The names of its words, in brackets where they may be left out. */
  readonly operands: readonly string[];
}

export const SERVE_HELP: CommandHelp = {
  name: "serve",
  help: "Answer the kubelet's GET /healthz with the driver's Identity/Probe.",
};

/** The commands that do what a flag does. */
export const WORD_HELPS: readonly CommandHelp[] = [
  { name: "help", help: "Print this text, or with help COMMAND that of a command." },
  { name: "version", help: "Print the version." },
];

const WIDTH = 80;

const SYNOPSIS = [
  "Usage: livenessprobe [COMMAND] [--FLAG=VALUE | --FLAG VALUE]...",
  "Answers the kubelet's liveness probe with what the CSI driver says of itself.",
];

/**
 * The whole help, at most 80 columns wide, with a newline at its end: the commands, then the flags of the one that is implied, by
 * group in their order.
 */
export function renderHelp(flags: readonly Flag[], commands: readonly CommandHelp[]): string {
  const list = ["Commands (serve where none is named; COMMAND --help has their flags):", ...renderCommands(commands)];
  return sections([SYNOPSIS, list, ...renderGroups(flags)]);
}

/** The help of one command, in the same form. */
export function renderCommandHelp(command: CommandUsage): string {
  const { help, flags, notes = [] } = command;
  const synopsis = [synopsisOf(command), ...wrap(help, 0)];
  return sections([synopsis, ...renderGroups(flags), ...(notes.length > 0 ? [notes] : [])]);
}

function synopsisOf({ name, operands }: CommandUsage): string {
  return ["Usage: livenessprobe", name, ...operands, "[--FLAG=VALUE]..."].join(" ");
}

function sections(all: readonly (readonly string[])[]): string {
  return `${all.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function renderGroups(flags: readonly Flag[]): readonly (readonly string[])[] {
  const groups = [...new Set(flags.map((flag) => flag.group))];
  return groups.map((group) => [`${group}:`, ...flags.filter((flag) => flag.group === group).flatMap(renderFlag)]);
}

function renderCommands(commands: readonly CommandHelp[]): readonly string[] {
  const column = 4 + Math.max(...commands.map(({ name }) => name.length));
  return commands.flatMap(({ name, help }) => {
    const [first = "", ...more] = wrap(help, column);
    return [`  ${name}`.padEnd(column) + first.trimStart(), ...more];
  });
}

function renderFlag(flag: Flag): readonly string[] {
  const value = placeholder(flag.type);
  const deprecated = flag.deprecated === undefined ? "" : `Deprecated: use ${flag.deprecated}. `;
  const fallback = value === "" || flag.default === "" ? "" : ` Default: ${flag.default}`;
  return [
    `  ${flag.short === undefined ? "" : `-${flag.short}, `}${dashed(flag.name)}${value === "" ? "" : ` ${value}`}`,
    ...wrap(`${deprecated}${flag.help}${fallback}`, 6),
  ];
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

function placeholder(valueType: FlagType): string {
  switch (valueType) {
    case "bool":
      return "";
    case "uint":
      return "NUMBER";
    case "duration":
      return "DURATION";
    case "quantity":
      return "QUANTITY";
    case "vmodule":
      return "PATTERN=NUMBER,...";
    case "string":
    case "list":
      return "TEXT";
  }
  valueType satisfies never;
}

/** Breaks a text at its spaces into lines of at most 80 columns, each `indent` spaces in. */
function wrap(text: string, indent: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].map((each) => " ".repeat(indent) + each);
}
