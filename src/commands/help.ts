import { loadCommand, SERVE } from "../cli/argv";
import type { Args, Command, CommandOf, Commands, ProcessContext } from "../cli/command";
import { renderCommandHelp, renderHelp } from "../cli/help";
import { COMMIT, VERSION } from "../version";

/** What `livenessprobe` is, in a sentence. */
const ABOUT = "Answers the kubelet's liveness probe for a CSI driver, and shows why a driver does not answer.";

const HELP_ARGS = {
  command: { type: "positional", valueHint: "[COMMAND]", required: false, description: "the command to explain" },
} as const satisfies Args;

/** `livenessprobe help [COMMAND]`, and what `--help` prints. */
export function defineHelp({ writeOut }: ProcessContext, commands: Commands): CommandOf<typeof HELP_ARGS> {
  return {
    meta: { name: "help", description: "Print this help, or that of a command: help COMMAND." },
    args: HELP_ARGS,
    run: async ({ args: { command = SERVE } }) => {
      writeOut(await helpOf(command, commands));
      return 0;
    },
  };
}

/** @throws {UsageError} where there is no such command */
export async function helpOf(name: string, commands: Commands): Promise<string> {
  const command = await loadCommand(name, commands);
  if (![SERVE, "help", "version"].includes(name)) return renderCommandHelp(command);
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  return renderHelp(ABOUT, await loadCommand(SERVE, commands), all);
}

/** `livenessprobe version`, and what `--version` prints. */
export function defineVersion({ writeOut }: ProcessContext): Command {
  return {
    meta: { name: "version", description: "Print the version." },
    args: {},
    run: () => {
      writeOut(`livenessprobe ${VERSION} (commit ${COMMIT}, Bun ${Bun.version})\n`);
      return 0;
    },
  };
}
