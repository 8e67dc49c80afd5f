import { type CommandDef, defineCommand } from "citty";
import type { Edge } from "../edge";
import { ConfigError } from "../errors";
import { findOwnFiles, install } from "../installation";
import { quote } from "../text";
import { VERSION } from "../version";

/** `livenessprobe install DEST`: copies itself out of an image. Its `run` returns the exit code and throws ConfigError. */
export function defineInstall(edge: Edge, words: readonly string[]): CommandDef {
  return defineCommand({
    meta: { name: "install", description: "Copy the executable out of the image" },
    run: () => {
      const [directory] = words;
      if (directory === undefined) throw new ConfigError("install takes a directory: livenessprobe install DEST");
      if (!directory.startsWith("/")) throw new ConfigError(`DEST must be an absolute path, got ${quote(directory)}`);
      const start = install(findOwnFiles(), directory, VERSION);
      edge.writeOut(`${start.join(" ")}\n`);
      return 0;
    },
  });
}
