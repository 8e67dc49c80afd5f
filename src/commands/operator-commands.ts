import type { CommandDef } from "citty";
import type { CommandLine, CommandSyntax } from "../cli/argv";
import type { Edge } from "../cli/edge";
import type { CommandHelp } from "../cli/help";
import { CHECK_FLAGS, INSPECT_FLAGS, INSTALL_FLAGS, LIST_FLAGS } from "../cli/operator-flags";

/** A command that a person or a script runs. `serve` loads none of this. */
export interface OperatorCommand extends CommandSyntax, CommandHelp {
  /** Imports the command: what another one needs is not loaded. */
  readonly define: (edge: Edge, line: CommandLine) => Promise<CommandDef>;
}

const PROBE_EXIT_CODES = [
  "Exit codes, as grpc-health-probe's:",
  "  0 ready  1 usage  2 no connection  3 no answer  4 not ready",
];

export const OPERATOR_COMMANDS: readonly OperatorCommand[] = [
  {
    name: "check",
    help: "Probe one driver, and print the result in one line.",
    flags: CHECK_FLAGS,
    words: { kind: "mixed", names: ["[ADDRESS|DRIVER]"] },
    notes: PROBE_EXIT_CODES,
    define: async (edge, line) => (await import("./check")).defineCheck(edge, line),
  },
  {
    name: "list",
    help: "List the CSI drivers of the node, with their states and why one does not answer.",
    flags: LIST_FLAGS,
    words: { kind: "mixed", names: [] },
    notes: [
      "Announced means that a registration socket names the driver; kubectl get csinode",
      "tells whether the kubelet has registered it.",
      "",
      "Exit codes:",
      "  0 all ready  1 usage  2 none found  4 one is not ready, or not all was seen",
    ],
    define: async (edge, line) => (await import("./list")).defineList(edge, line),
  },
  {
    name: "inspect",
    help: "Inspect one driver step by step: its socket, the process that listens, and each RPC.",
    flags: INSPECT_FLAGS,
    words: { kind: "mixed", names: ["ADDRESS|DRIVER"] },
    notes: [...PROBE_EXIT_CODES, "", "Identifying the process that listens requires hostPID and uid 0."],
    define: async (edge, line) => (await import("./inspect")).defineInspect(edge, line),
  },
  {
    name: "install",
    help: "Copy the executable with its loader and libraries into a directory, and print the commands that start it.",
    flags: INSTALL_FLAGS,
    words: { kind: "mixed", names: ["DEST"] },
    notes: ["In place of cp, which the image does not have: into an emptyDir, for example."],
    define: async (edge, line) => (await import("./install")).defineInstall(edge, line),
  },
];
