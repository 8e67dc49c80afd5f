import { type CommandDef, runCommand } from "citty";
import { type Argv, type CommandSyntax, type Refused, SERVE, readArgv } from "./argv";
import type { Edge } from "./edge";
import { ConfigError } from "./errors";
import { FLAGS } from "./flags";
import { formatKlog } from "./log/klog";
import type { OperatorCommand } from "./commands/operator-commands";
import { COMMIT, VERSION } from "./version";

/**
 * Runs one command line.
 *
 * citty would pass unknown flags silently and read Go's `-flag=value` as letters, so `argv.ts` checks every word first and
 * citty is given `--flag=value` alone.
 *
 * @param argv the words after the program's name
 * @returns the exit code of the command; 1 for a configuration that cannot work; for words that cannot be read 2, as Go's, of
 *   `serve`, and 1 of any other
 */
export async function run(argv: readonly string[], edge: Edge): Promise<number> {
  // All but `serve` is loaded only when it is asked for.
  const operator = isServe(argv[0]) ? [] : (await import("./commands/operator-commands")).OPERATOR_COMMANDS;
  const read = readArgv(argv, [SERVE, ...operator]);
  switch (read.kind) {
    case "help":
      edge.writeOut(await help(operator.find(({ name }) => name === read.command)));
      return 0;
    case "version":
      edge.writeOut(`livenessprobe ${VERSION} (commit ${COMMIT}, Bun ${Bun.version})\n`);
      return 0;
    case "refused":
      return refuse(read, operator, edge);
    case "run":
      return runRead(read, operator, edge);
  }
  return read satisfies never;
}

function isServe(word: string | undefined): boolean {
  return word === undefined || word.startsWith("-") || word === SERVE.name;
}

async function help(command: OperatorCommand | undefined): Promise<string> {
  const { SERVE_HELP, renderCommandHelp, renderHelp } = await import("./help");
  if (command !== undefined) return renderCommandHelp({ ...command, operands: operandsOf(command) });
  const { OPERATOR_COMMANDS } = await import("./commands/operator-commands");
  return renderHelp(FLAGS, [SERVE_HELP, ...OPERATOR_COMMANDS]);
}

async function refuse(
  { message, command: name, unknown }: Refused,
  operator: readonly OperatorCommand[],
  edge: Edge,
): Promise<number> {
  const { renderUsage } = await import("./help");
  if (name === SERVE.name) {
    edge.writeError(`${message}\n${renderUsage(FLAGS)}`);
    return 2;
  }
  const { suggest } = await import("./suggest");
  const meant = unknown === undefined ? undefined : suggest(unknown.word, unknown.known);
  const dashes = name === undefined ? "" : "--";
  edge.writeError(`${message}${meant === undefined ? "" : `; did you mean ${dashes}${meant}?`}\n`);
  const command = operator.find((candidate) => candidate.name === name);
  if (command !== undefined) edge.writeError(renderUsage(command.flags, { ...command, operands: operandsOf(command) }));
  return 1;
}

function operandsOf({ words }: CommandSyntax): readonly string[] {
  return words.kind === "mixed" ? words.names : [];
}

async function runRead(
  { command: name, values, words }: Extract<Argv, { readonly kind: "run" }>,
  operator: readonly OperatorCommand[],
  edge: Edge,
): Promise<number> {
  const rawArgs = Object.entries(values).map(([flag, value]) => `--${flag}=${value}`);
  const command = operator.find((candidate) => candidate.name === name);
  try {
    const { result } = await runCommand(await define(command, words, edge), { rawArgs });
    return typeof result === "number" ? result : 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    edge.writeError(command === undefined ? configErrorLine(error.message, edge) : `${error.message}\n`);
    return error.exitCode;
  }
}

async function define(command: OperatorCommand | undefined, words: readonly string[], edge: Edge): Promise<CommandDef> {
  return command?.define(edge, words) ?? (await import("./commands/serve")).defineServe(edge, words);
}

// klog text even where JSON was asked for, as the Go sidecar does: the log's options may be what is wrong.
function configErrorLine(message: string, { pid, timeZone }: Edge): string {
  const timeMs = performance.timeOrigin + performance.now();
  return formatKlog({ severity: "E", timeMs, timeZone, pid, source: "options.ts", verbosity: 0, message, values: {} });
}
