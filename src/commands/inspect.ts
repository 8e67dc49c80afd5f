import { type CommandDef, defineCommand } from "citty";
import type { CommandLine } from "../cli/argv";
import type { Edge } from "../cli/edge";
import { inspectDriver } from "../inspection/inspection";
import { findNamedDriver } from "../inspection/named-driver";
import { openNode } from "../inspection/node-view";
import { type InspectOptions, readInspectOptions, readSharedFlags } from "../cli/operator-options";
import { outcomeExitCode } from "./exit-code";
import type { InspectReport } from "../inspection/report";
import { lookAtSocketFile } from "../driver/socket-file";
import { renderInspectionJson } from "../terminal/json";
import { renderInspection } from "../terminal/inspect-text";
import { startProgress } from "../terminal/progress";
import { decideStyle } from "../terminal/style";
import type { Invocation } from "../base/shell-command";
import { VERSION } from "../version";

/** `livenessprobe inspect ADDRESS|DRIVER`: one driver in depth. Its `run` returns the exit code and throws ConfigError. */
export function defineInspect(edge: Edge, { values, words }: CommandLine): CommandDef {
  return defineCommand({
    meta: { name: "inspect", description: "One driver in depth" },
    run: () =>
      inspect(readInspectOptions(values, words), { program: edge.program(), flags: readSharedFlags(values) }, edge),
  });
}

async function inspect(options: InspectOptions, self: Invocation, edge: Edge): Promise<number> {
  const report = await inspectTarget(options, self, edge);
  const text =
    options.output === "json"
      ? renderInspectionJson(report)
      : renderInspection(report, decideStyle(edge.streamFacts("out")));
  edge.writeOut(text);
  return outcomeExitCode(report.outcome);
}

async function inspectTarget(options: InspectOptions, self: Invocation, edge: Edge): Promise<InspectReport> {
  using progress = startProgress(edge);
  const onWait = (what: string): void => progress.show(`waiting for ${what} ...`);
  const node = await openNode(options);
  const { target } = options;
  const asking = {
    ...options,
    self,
    node,
    userAgent: `livenessprobe/${VERSION}`,
    uid: edge.uid,
    lookAtSocketFile,
    onWait,
  };
  if (target.kind === "driver") onWait("the drivers' names");
  const socketPath = target.kind === "address" ? target.socketPath : await findNamedDriver(target.name, node, asking);
  // Awaited here: the progress line is erased when this returns.
  return await inspectDriver({ ...asking, socketPath, byName: target.kind === "driver" });
}
