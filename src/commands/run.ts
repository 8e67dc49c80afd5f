import { type CommandDef, runCommand } from "citty";
import { type Argv, isServe, readArgv } from "../cli/argv";
import { type Commands, type ProcessContext, UsageError } from "../cli/command";
import { ConfigError, errorText } from "../base/errors";
import { formatKlog } from "../log/format";

/**
 * Runs one command line: `readArgv` reads its words, and citty loads and runs the command.
 *
 * @returns the exit code of the command; 1 for a configuration that cannot work; for words that cannot be read 2, as
 *   Go's, of `serve` and `monitor`, and 1 of any other; 2 for both where node-problem-detector asks
 */
export async function run(argv: readonly string[], context: ProcessContext): Promise<number> {
  const commands = listCommands(context);
  try {
    const line = await readArgv(argv, commands);
    return await dispatch(line, commands);
  } catch (error) {
    const exitCode = await refuse(error, argv, context);
    const { CANNOT_TELL, isNpdCheck, npdLine } = await import("./exit-code");
    if (!isNpdCheck(argv)) return exitCode;
    context.writeOut(npdLine(errorText(error)));
    return CANNOT_TELL;
  }
}

async function dispatch(line: Argv, commands: Commands): Promise<number> {
  let exitCode = 0;
  const subCommands = Object.entries(commands).map(([name, load]) => {
    // citty drops what a sub-command's `run` returns.
    const define = async (): Promise<CommandDef> => {
      const { meta, run: runLine } = await load();
      // The line was read by the definition of this command.
      return { meta, run: async () => void (exitCode = await runLine(line as never)) };
    };
    return [name, define] as const;
  });
  await runCommand({ subCommands: Object.fromEntries(subCommands), default: line.name }, { rawArgs: [] });
  return exitCode;
}

/** Every command, in the order of the help. Each is loaded only when it is called. */
export function listCommands(context: ProcessContext): Commands {
  const commands: Commands = {
    serve: async () => (await import("./serve")).defineServe(context),
    check: async () => (await import("./check")).defineCheck(context),
    list: async () => (await import("./list")).defineList(context),
    inspect: async () => (await import("./inspect")).defineInspect(context),
    report: async () => (await import("./report")).defineReport(context),
    monitor: async () => (await import("./monitor")).defineMonitor(context),
    install: async () => (await import("./install")).defineInstall(context),
    completion: async () => (await import("./completion")).defineCompletion(context, commands),
    help: async () => (await import("./help")).defineHelp(context, commands),
    version: async () => (await import("./help")).defineVersion(context),
  };
  return commands;
}

/** One line, for it is the last one that a reader of a log sees: what is wrong, and what to write instead. */
async function refuse(error: unknown, argv: readonly string[], context: ProcessContext): Promise<number> {
  const ofServe = isServe(argv);
  if (error instanceof UsageError) {
    const advice = error.unknown === undefined ? "" : `; ${(await import("../cli/help")).adviceOn(error.unknown)}`;
    context.writeError(`${error.message}${advice}\n`);
    return ofServe || argv[0] === "monitor" ? 2 : 1;
  }
  if (!(error instanceof ConfigError)) throw error;
  context.writeError(ofServe ? configErrorLine(error.message, context) : `${error.message}\n`);
  return error.exitCode;
}

// klog text even where JSON was asked for, as the Go sidecar does: the log's options may be what is wrong.
function configErrorLine(message: string, { pid, timeZone }: ProcessContext): string {
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
