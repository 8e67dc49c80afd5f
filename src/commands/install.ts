import type { CommandOf, ProcessContext } from "../cli/command";
import { findOwnFiles, install } from "../installation/installation";
import { INSTALL_ARGS, readInstallOptions } from "../cli/operator-options";
import { VERSION } from "../version";

/** `livenessprobe install DEST`: copies itself out of an image. */
export function defineInstall(context: ProcessContext): CommandOf<typeof INSTALL_ARGS> {
  return {
    meta: {
      name: "install",
      description:
        "Copy the executable with its loader and libraries into a directory, and print the commands that start it.",
    },
    args: INSTALL_ARGS,
    notes: ["It replaces cp, which the image does not have. DEST may be in an emptyDir."],
    run: async ({ args }) => {
      const { directory, startAs, force } = readInstallOptions(args);
      const { uid, onInterrupt } = context;
      const where = { directory, startAs: startAs ?? directory };
      context.writeOut(await install(findOwnFiles(), { ...where, force, version: VERSION, uid, onInterrupt }));
      if (startAs === undefined)
        context.writeError(
          `note: where ${directory} has another path, such as outside of this container, give that path with --start-as PATH\n`,
        );
      return 0;
    },
  };
}
