import type { CommandOf, ProcessContext } from "../cli/command";
import { findOwnFiles, install } from "../installation/installation";
import { INSTALL_ARGS, readInstallOptions } from "../cli/operator-options";
import { VERSION } from "../version";

/** `livenessprobe install DEST`: copies itself out of an image. */
export function defineInstall(context: ProcessContext): CommandOf<typeof INSTALL_ARGS> {
  return {
    meta: {
      name: "install",
      description: "Copy the executable and the libraries it needs into a directory, and print how to start it there.",
    },
    args: INSTALL_ARGS,
    notes: ["For an image without cp. DEST may be an emptyDir, or a directory of the node."],
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
