import { runCommand, type CommandDef } from "citty";
import { readArgv } from "./argv";
import type { Edge } from "./edge";
import { ConfigError } from "./errors";
import { FLAGS } from "./flags";
import type { CommandHelp } from "./help";
import { formatKlog } from "./log/klog";
import { COMMIT, VERSION } from "./version";

/**
 * Runs one command line.
 *
 * citty would pass unknown flags silently and read Go's `-flag=value` as letters, so `argv.ts` checks every word first and
 * citty is given `--flag=value` alone.
 *
 * @param argv the words after the program's name
 * @returns the exit code: 0, 1 for a configuration that cannot work, 2 for words that cannot be read
 */
export async function run(argv: readonly string[], edge: Edge): Promise<number> {
  const read = readArgv(argv, FLAGS, [...COMMANDS.keys()]);
  switch (read.kind) {
    case "help": {
      const { renderHelp } = await import("./help");
      edge.writeOut(renderHelp(FLAGS, commandHelp()));
      return 0;
    }
    case "version":
      edge.writeOut(`livenessprobe ${VERSION} (commit ${COMMIT}, Bun ${Bun.version})\n`);
      return 0;
    case "refused": {
      const { renderUsage } = await import("./help");
      edge.writeError(`${read.message}\n${renderUsage(FLAGS)}`);
      return 2;
    }
    case "run":
      return runNamed(read.command, read.values, read.stray, edge);
  }
  return read satisfies never;
}

interface Command {
  readonly help: string;
  /** Imports the command: what another one needs is not loaded. */
  readonly define: (edge: Edge, stray: readonly string[]) => Promise<CommandDef>;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  [
    "serve",
    {
      help: "Answer the kubelet's GET /healthz with the driver's Identity/Probe.",
      define: async (edge, stray) => (await import("./commands/serve")).defineServe(edge, stray),
    } satisfies Command,
  ],
]);

function commandHelp(): readonly CommandHelp[] {
  return [...COMMANDS].map(([name, { help }]) => ({ name, help }));
}

async function runNamed(
  name: string,
  values: Readonly<Record<string, string>>,
  stray: readonly string[],
  edge: Edge,
): Promise<number> {
  const rawArgs = Object.entries(values).map(([flag, value]) => `--${flag}=${value}`);
  try {
    const command = await COMMANDS.get(name)?.define(edge, stray);
    const { result } = await runCommand(command ?? {}, { rawArgs });
    return typeof result === "number" ? result : 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    edge.writeError(configErrorLine(error.message, edge));
    return error.exitCode;
  }
}

// klog text even where JSON was asked for, as the Go sidecar does: the log's options may be what is wrong.
function configErrorLine(message: string, { pid, timeZone }: Edge): string {
  const timeMs = performance.timeOrigin + performance.now();
  return formatKlog({ severity: "E", timeMs, timeZone, pid, source: "options.ts", verbosity: 0, message, values: {} });
}
