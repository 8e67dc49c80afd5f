import type { CommandDef } from "citty";
import type { CommandSyntax } from "../argv";
import type { Edge } from "../edge";
import type { CommandHelp } from "../help";
import { CHECK_FLAGS } from "../operator-flags";

/** A command that a person or a script runs. `serve` loads none of this. */
export interface OperatorCommand extends CommandSyntax, CommandHelp {
  /** Imports the command: what another one needs is not loaded. */
  readonly define: (edge: Edge, words: readonly string[]) => Promise<CommandDef>;
}

const PROBE_EXIT_CODES = [
  "Exit codes, as grpc-health-probe's:",
  "  0 ready  1 usage  2 no connection  3 connected, but no answer  4 not ready",
];

export const OPERATOR_COMMANDS: readonly OperatorCommand[] = [
  {
    name: "check",
    help: "Probe the driver once, and say in one line what came of it.",
    flags: CHECK_FLAGS,
    words: { kind: "mixed", names: ["ADDRESS"] },
    notes: PROBE_EXIT_CODES,
    define: async (edge, words) => (await import("./check")).defineCheck(edge, words),
  },
];
