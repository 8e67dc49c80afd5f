import type { CommandOf, ProcessContext } from "../cli/command";
import { inspectDriver } from "../inspection/inspection";
import { findNamedDriver } from "../inspection/named-driver";
import { openNode } from "../inspection/node-view";
import { INSPECT_ARGS, type InspectOptions, readInspectOptions, readInvocation } from "../cli/operator-options";
import { OUTCOME_EXIT_CODES, outcomeExitCode } from "./exit-code";
import { renderInspectionJson } from "../terminal/json";
import { renderInspection } from "../terminal/inspect-text";
import { startProgress } from "../terminal/progress";
import { decideStyle } from "../terminal/style";
import type { Invocation } from "../base/shell-command";

/** `livenessprobe inspect ADDRESS|DRIVER`: one driver in depth. */
export function defineInspect(context: ProcessContext): CommandOf<typeof INSPECT_ARGS> {
  return {
    meta: {
      name: "inspect",
      description: "Inspect one driver step by step: its socket, the process that listens, and each RPC.",
    },
    args: INSPECT_ARGS,
    notes: [...OUTCOME_EXIT_CODES, "", "Identifying the owning process requires uid 0, and hostPID or --root."],
    run: ({ args, given }) => inspect(readInspectOptions(args), readInvocation(given, context.program()), context),
  };
}

async function inspect(options: InspectOptions, self: Invocation, context: ProcessContext): Promise<number> {
  const report = await inspectTarget(options, self, context);
  const isJson = options.output === "json";
  const style = decideStyle(context.streamFacts("out"));
  context.writeOut(isJson ? renderInspectionJson(report) : renderInspection(report, style));
  return outcomeExitCode(report.outcome);
}

async function inspectTarget({ target, ...options }: InspectOptions, self: Invocation, context: ProcessContext) {
  using progress = startProgress(context);
  const onWait = (what: string): void => progress.show(`waiting for ${what} ...`);
  const node = await openNode(options);
  const asking = { ...options, self, node, onWait };
  if (target.kind === "driver") onWait("the drivers' names");
  const socketPath = target.kind === "address" ? target.socketPath : await findNamedDriver(target.name, node, asking);
  // Awaited here: the progress line is erased when this returns.
  return await inspectDriver({ ...asking, socketPath, byName: target.kind === "driver" });
}
