import type { ParsedArgs } from "citty";
import { readArgv } from "../../src/cli/argv";
import type { Args, CommandLine } from "../../src/cli/command";
import { SERVE_FLAGS } from "../../src/cli/flags";
import { readOptions, type Options } from "../../src/cli/options";

/** What `serve` makes of these words. It throws where they hold one that is no flag. */
export async function readServeFlags(argv: readonly string[]): Promise<Options> {
  return readOptions(await readFlags("serve", SERVE_FLAGS, argv));
}

/** The arguments of a command. It throws where `argv` is not for that command, or holds a word that is no flag. */
export async function readFlags<A extends Args>(
  name: string,
  args: A,
  argv: readonly string[],
): Promise<CommandLine<ParsedArgs<A>>["args"]> {
  const command = async () => ({ meta: { name, description: "" }, args, run: () => 0 });
  const line = await readArgv([name, ...argv], { [name]: command });
  const words = line.args["_"];
  if (line.name !== name || !Array.isArray(words) || words.length > 0)
    throw new Error(`not the flags of ${name} alone`);
  // It was read by this very definition.
  return line.args as ParsedArgs<A>;
}
