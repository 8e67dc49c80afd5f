import { type CommandDef, runCommand } from "citty";
import { type Argv, type CommandLine, type CommandSyntax, type Refused, SERVE, readArgv } from "../cli/argv";
import type { Edge } from "../cli/edge";
import { ConfigError } from "../base/errors";
import { FLAGS } from "../cli/flags";
import { formatKlog } from "../log/klog";
import type { OperatorCommand } from "./operator-commands";
import { COMMIT, VERSION } from "../version";

/**
 * Runs one command line.
 *
 * citty would pass unknown flags silently and read Go's `-flag=value` as letters, so `argv.ts` reads the words, and citty
 * runs the command without any.
 *
 * @param argv the words after the program's name
 * @returns the exit code of the command; 1 for a configuration that cannot work; for words that cannot be read 2, as Go's, of
 *   `serve`, and 1 of any other
 */
export async function run(argv: readonly string[], edge: Edge): Promise<number> {
  // All but `serve` is loaded only when it is asked for.
  const operator = isServe(argv[0]) ? [] : (await import("./operator-commands")).OPERATOR_COMMANDS;
  const read = readArgv(argv, [SERVE, ...operator]);
  switch (read.kind) {
    case "help":
      edge.writeOut(await help(operator.find(({ name }) => name === read.command)));
      return 0;
    case "version":
      edge.writeOut(`livenessprobe ${VERSION} (commit ${COMMIT}, Bun ${Bun.version})\n`);
      return 0;
    case "refused":
      return refuse(read, edge);
    case "run":
      return runRead(read, operator, edge);
  }
  return read satisfies never;
}

function isServe(word: string | undefined): boolean {
  return word === undefined || word.startsWith("-") || word === SERVE.name;
}

async function help(command: OperatorCommand | undefined): Promise<string> {
  const { SERVE_HELP, WORD_HELPS, renderCommandHelp, renderHelp } = await import("../cli/help");
  if (command !== undefined) return renderCommandHelp({ ...command, operands: operandsOf(command) });
  const { OPERATOR_COMMANDS } = await import("./operator-commands");
  return renderHelp(FLAGS, [SERVE_HELP, ...OPERATOR_COMMANDS, ...WORD_HELPS]);
}

/** One line, for it is the last one that a reader of a log sees: what is wrong, and what to write instead. */
async function refuse(refused: Refused, edge: Edge): Promise<number> {
  const { adviceOn } = await import("../cli/suggest");
  edge.writeError(`${refused.message}; ${adviceOn(refused)}\n`);
  return refused.command === SERVE.name ? 2 : 1;
}

function operandsOf({ words }: CommandSyntax): readonly string[] {
  return words.kind === "mixed" ? words.names : [];
}

async function runRead(
  line: Extract<Argv, { readonly kind: "run" }>,
  operator: readonly OperatorCommand[],
  edge: Edge,
): Promise<number> {
  const command = operator.find(({ name }) => name === line.command);
  try {
    const { result } = await runCommand(await define(command, line, edge), { rawArgs: [] });
    return typeof result === "number" ? result : 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    edge.writeError(command === undefined ? configErrorLine(error.message, edge) : `${error.message}\n`);
    return error.exitCode;
  }
}

async function define(command: OperatorCommand | undefined, line: CommandLine, edge: Edge): Promise<CommandDef> {
  return command?.define(edge, line) ?? (await import("./serve")).defineServe(edge, line);
}

// klog text even where JSON was asked for, as the Go sidecar does: the log's options may be what is wrong.
function configErrorLine(message: string, { pid, timeZone }: Edge): string {
  return formatKlog({
    severity: "E",
    timeMs: Date.now(),
    timeZone,
    pid,
    source: "options.ts",
    verbosity: 0,
    message,
    values: {},
  });
}
