import { parseArgs } from "node:util";

/**
 * A flag of a script; its `value` is the word that stands for a value in the help, and a flag without one takes none.
 */
export interface Flag {
  readonly value?: string;
  readonly help: string;
  readonly required?: boolean;
}

/** What a script is given: a string, or undefined where it may be absent; a boolean for a flag without a value. */
export type Values<F extends Readonly<Record<string, Flag>>> = {
  readonly [Name in keyof F]: F[Name] extends { readonly value: string }
    ? F[Name] extends { readonly required: true }
      ? string
      : string | undefined
    : boolean;
};

/** What the help tells of a command. */
interface About {
  /** How it is started: `bun run image:push`. */
  readonly name: string;
  /** What it does, in whole sentences. */
  readonly about: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** The words that it takes beside flags; all of them. */
  readonly words?: readonly string[];
}

export interface Command<F extends Readonly<Record<string, Flag>>> extends About {
  readonly flags: F;
  /** @returns its exit code, 0 where it returns none */
  readonly run: (values: Values<F>, words: readonly string[]) => Promise<number | void> | number | void;
}

/** The command line cannot be read as this command's. */
class UsageError extends Error {}

/**
 * Runs a script of this directory as a command: with `--help`, and with each error as one line. Exit codes: that of
 * `run`, 1 where it throws, 2 for a command line that it does not take.
 */
export async function runCommand<const F extends Readonly<Record<string, Flag>>>(command: Command<F>): Promise<void> {
  try {
    const read = readCommandLine(command, process.argv.slice(2));
    if (read === "help") return console.log(helpOf(command));
    process.exitCode = (await command.run(read.values, read.words)) ?? 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** Says on standard error what is done now, where it may take a while. Results are for standard output. */
export function progress(what: string): void {
  console.error(what);
}

function readCommandLine<F extends Readonly<Record<string, Flag>>>(command: Command<F>, argv: readonly string[]) {
  const { flags, words = [] } = command;
  const { values, positionals } = parse(command, [...argv]);
  if (values["help"] === true) return "help";
  const missing = Object.entries(flags).find(([name, { required }]) => required === true && values[name] === undefined);
  if (missing !== undefined) throw usageError(command, `--${missing[0]} is missing`);
  if (positionals.length !== words.length) {
    const wanted = words.length === 0 ? "no words beside flags" : words.join(" ");
    throw usageError(command, `It takes ${wanted}, and got ${positionals.join(" ") || "none"}`);
  }
  // `flags` says which are there and of what type; parseArgs held the command line against it.
  return { values: values as Values<F>, words: positionals };
}

function optionOf({ value }: Flag) {
  return value === undefined ? ({ type: "boolean", default: false } as const) : ({ type: "string" } as const);
}

function parse(command: About, args: string[]): { values: Readonly<Record<string, unknown>>; positionals: string[] } {
  const options = Object.entries(command.flags).map(([name, flag]) => [name, optionOf(flag)] as const);
  const help = ["help", { type: "boolean", short: "h" }] as const;
  try {
    return parseArgs({ args, options: Object.fromEntries([...options, help]), allowPositionals: true });
  } catch (error) {
    // The sentences behind the first are about words that begin with a dash.
    throw usageError(command, error instanceof Error ? error.message.replace(/\. .*$/s, "") : String(error));
  }
}

function usageError({ name }: About, what: string): UsageError {
  return new UsageError(`${what}: ${name} --help says what it takes`);
}

const WIDTH = 100;

function helpOf({ name, about, flags, words = [] }: About): string {
  const entries: readonly (readonly [string, Flag])[] = Object.entries(flags);
  const shown = entries.map(([flag, { value, required }]) => {
    const text = value === undefined ? `--${flag}` : `--${flag} ${value}`;
    return required === true ? text : `[${text}]`;
  });
  const help: readonly [string, Flag] = ["help", { help: "Print this text." }];
  const lines = [...entries, help].map(
    ([flag, { value, help: text }]) => `  --${flag}${value === undefined ? "" : ` ${value}`}\n${wrap(text, "      ")}`,
  );
  return [`Usage: ${[name, ...words, ...shown].join(" ")}`, wrap(about, ""), "", ...lines].join("\n");
}

function wrap(text: string, indent: string): string {
  const lines = [indent.trimEnd()];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? "";
    if (line.trim() !== "" && line.length + word.length >= WIDTH) lines.push(indent + word);
    else lines.splice(-1, 1, line.trim() === "" ? indent + word : `${line} ${word}`);
  }
  return lines.join("\n");
}
