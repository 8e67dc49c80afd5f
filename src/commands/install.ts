import { type CommandDef, defineCommand } from "citty";
import type { CommandLine } from "../cli/argv";
import type { Edge } from "../cli/edge";
import { findOwnFiles, install } from "../installation/installation";
import { readInstallOptions } from "../cli/operator-options";
import { VERSION } from "../version";

/** `livenessprobe install DEST`: copies itself out of an image. Its `run` returns the exit code and throws ConfigError. */
export function defineInstall(edge: Edge, { values, words }: CommandLine): CommandDef {
  return defineCommand({
    meta: { name: "install", description: "Copy the executable out of the image" },
    run: async () => {
      const { directory, startAs, force } = readInstallOptions(values, words);
      const { uid, onInterrupt } = edge;
      const where = { directory, startAs: startAs ?? directory };
      edge.writeOut(await install(findOwnFiles(), { ...where, force, version: VERSION, uid, onInterrupt }));
      if (startAs === undefined)
        edge.writeError(
          `note: where ${directory} has another path, such as outside of this container, give that path with --start-as PATH\n`,
        );
      return 0;
    },
  });
}
