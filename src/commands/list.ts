import { type CommandDef, defineCommand } from "citty";
import type { CommandLine } from "../cli/argv";
import type { Edge } from "../cli/edge";
import type { Invocation } from "../base/shell-command";
import { surveyNode } from "../inspection/survey";
import { openNode } from "../inspection/node-view";
import { type ListOptions, readListOptions, readSharedFlags } from "../cli/operator-options";
import type { NodeReport } from "../inspection/report";
import { lookAtSocketFile } from "../driver/socket-file";
import { renderNodeJson } from "../terminal/json";
import { renderNodeNotes, renderNodeSummary } from "../terminal/list-notes";
import { renderNodeTable } from "../terminal/list-table";
import { startProgress } from "../terminal/progress";
import { decideStyle } from "../terminal/style";
import { VERSION } from "../version";

/** `livenessprobe list`: every CSI driver of the node, in one table. Its `run` returns the exit code and throws ConfigError. */
export function defineList(edge: Edge, { values }: CommandLine): CommandDef {
  return defineCommand({
    meta: { name: "list", description: "Every CSI driver of the node" },
    run: () => list(readListOptions(values), { program: edge.program(), flags: readSharedFlags(values) }, edge),
  });
}

async function list(options: ListOptions, self: Invocation, edge: Edge): Promise<number> {
  const { output } = options;
  const report = await survey(options, edge);
  const notes = decideStyle(edge.streamFacts("error"));
  const table = { ...decideStyle(edge.streamFacts("out")), wide: output === "wide" };
  edge.writeOut(output === "json" ? renderNodeJson(report) : renderNodeTable(report, table));
  edge.writeError(renderNodeNotes(report, { uid: edge.uid, self }, notes));
  if (output !== "json") edge.writeError(renderNodeSummary(report, self, notes));
  return listExitCode(report, options.driver);
}

async function survey(options: ListOptions, edge: Edge): Promise<NodeReport> {
  const node = await openNode(options);
  using progress = startProgress(edge);
  // Awaited here: the progress line is erased when this returns.
  return await surveyNode(node, {
    ...options,
    userAgent: `livenessprobe/${VERSION}`,
    uid: edge.uid,
    lookAtSocketFile,
    wide: options.output !== "table",
    onProgress: (asked, total) => progress.show(`asked ${asked} of ${total} drivers ...`),
  });
}

/**
 * 0 where every driver is ready, 2 where there is none, 4 where one is not ready or where something was left out that may have
 * hidden one. What is not CSI does not count.
 *
 * @param driver the one that was asked for: where it was found, nothing else counts
 */
export function listExitCode({ drivers, complete }: NodeReport, driver: string | undefined): number {
  const counted = drivers.filter(({ outcome }) => outcome.kind !== "notCsi");
  if (counted.length === 0) return complete ? 2 : 4;
  const allReady = counted.every(({ outcome }) => outcome.kind === "ready");
  return allReady && (complete || driver !== undefined) ? 0 : 4;
}
