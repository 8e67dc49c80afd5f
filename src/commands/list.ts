import type { CommandOf, ProcessContext } from "../cli/command";
import type { Invocation } from "../base/shell-command";
import { surveyNode } from "../inspection/survey";
import { openNode } from "../inspection/node-view";
import { LIST_ARGS, type ListOptions, readListOptions, readInvocation } from "../cli/operator-options";
import type { NodeReport } from "../inspection/report";
import { renderNodeJson } from "../terminal/json";
import { renderNodeNotes, renderNodeSummary } from "../terminal/list-notes";
import { renderNodeTable } from "../terminal/list-table";
import { startProgress } from "../terminal/progress";
import { decideStyle } from "../terminal/style";

/** `livenessprobe list`: every CSI driver of the node, in one table. */
export function defineList(context: ProcessContext): CommandOf<typeof LIST_ARGS> {
  return {
    meta: {
      name: "list",
      description: "List the CSI drivers of the node, each with its state and the reason if it does not answer.",
    },
    args: LIST_ARGS,
    notes: [
      "Announced means that a registration socket names the driver; kubectl get csinode",
      "tells whether the kubelet has registered it.",
      "",
      "Exit codes:",
      "  0 all ready, or --watch was ended  1 usage error  2 no driver found",
      "  4 a driver is not ready, or part of the node could not be read",
    ],
    run: ({ args, given }) => list(readListOptions(args), readInvocation(given, context.program()), context),
  };
}

async function list(options: ListOptions, self: Invocation, context: ProcessContext): Promise<number> {
  const { output, watchIntervalMs } = options;
  if (watchIntervalMs !== undefined) {
    const { watchList } = await import("./list-watch");
    return await watchList({ ...options, watchIntervalMs }, { uid: context.uid, self }, context);
  }
  const report = await survey(options, context);
  const notes = decideStyle(context.streamFacts("error"));
  const table = { ...decideStyle(context.streamFacts("out")), wide: output === "wide" };
  context.writeOut(output === "json" ? renderNodeJson(report) : renderNodeTable(report, table));
  context.writeError(renderNodeNotes(report, { uid: context.uid, self }, notes));
  if (output !== "json") context.writeError(renderNodeSummary(report, self, notes));
  return listExitCode(report, options.driver);
}

async function survey(options: ListOptions, context: ProcessContext): Promise<NodeReport> {
  const node = await openNode(options);
  using progress = startProgress(context);
  // Awaited here: the progress line is erased when this returns.
  return await surveyNode(node, {
    ...options,
    wide: options.output !== "table",
    onProgress: (asked, total) => progress.show(`asked ${asked} of ${total} drivers ...`),
  });
}

/**
 * 0 where every driver is ready, 2 where there is none, 4 where one is not ready or where something was left out that
 * may have hidden one. What is not CSI does not count.
 *
 * @param driver the one that was asked for: where it was found, nothing else counts
 */
export function listExitCode({ drivers, complete }: NodeReport, driver: string | undefined): number {
  const counted = drivers.filter(({ outcome }) => outcome.kind !== "notCsi");
  if (counted.length === 0) return complete ? 2 : 4;
  const allReady = counted.every(({ outcome }) => outcome.kind === "ready");
  return allReady && (complete || driver !== undefined) ? 0 : 4;
}
