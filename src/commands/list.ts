import { type ArgsDef, type CommandDef, defineCommand } from "citty";
import type { Edge } from "../edge";
import { reportListener } from "../listener-steps";
import { surveyNode } from "../node-survey";
import { LIST_FLAGS } from "../operator-flags";
import { type ListOptions, readListOptions } from "../operator-options";
import type { NodeReport } from "../report";
import { lookAtSocketFile } from "../socket-file";
import { renderNodeJson } from "../terminal/list-json";
import { renderNodeNotes } from "../terminal/list-notes";
import { renderNodeTable } from "../terminal/list-table";
import { createProgressLine, renderProgress } from "../terminal/progress";
import { decideStyle } from "../terminal/style";
import { VERSION } from "../version";
import { givenFlags } from "./given-flags";

const ARGS: ArgsDef = Object.fromEntries(LIST_FLAGS.map(({ name }) => [name, { type: "string" }]));

/** `livenessprobe list`: every CSI driver of the node, in one table. Its `run` returns the exit code and throws ConfigError. */
export function defineList(edge: Edge): CommandDef {
  return defineCommand({
    meta: { name: "list", description: "Every CSI driver of the node" },
    args: ARGS,
    run: ({ args }) => list(readListOptions(givenFlags(args, LIST_FLAGS)), edge),
  });
}

async function list(options: ListOptions, edge: Edge): Promise<number> {
  const report = await survey(options, edge);
  const notes = decideStyle(edge.streamFacts("error"));
  edge.writeOut(render(report, options, edge));
  edge.writeError(renderNodeNotes(report, edge.uid, notes));
  return listExitCode(report);
}

async function survey(options: ListOptions, edge: Edge): Promise<NodeReport> {
  const { columns } = decideStyle(edge.streamFacts("error"));
  using progress = createProgressLine({ write: edge.writeError, columns });
  // Awaited here: the progress line is erased when this returns.
  return await surveyNode({
    ...options,
    userAgent: `livenessprobe/${VERSION}`,
    uid: edge.uid,
    lookAtSocketFile,
    findListener: (socket, { root, procDir, kubelets }) => {
      const access = { procDir, uid: edge.uid };
      const kubeletDirs = kubelets.roots.map(({ path }) => path);
      return reportListener({ access, root, kubeletDirs }, { path: socket.outerPath, fileId: socket.fileId });
    },
    wide: options.output !== "table",
    onProgress: (asked, total) => progress.show(renderProgress(asked, total)),
  });
}

function render(report: NodeReport, { output }: ListOptions, edge: Edge): string {
  switch (output) {
    case "json":
      return renderNodeJson(report);
    case "table":
    case "wide":
      return renderNodeTable(report, { ...decideStyle(edge.streamFacts("out")), wide: output === "wide" });
  }
  return output satisfies never;
}

/** 0 where every driver is ready, 4 where one is not, 2 where there is none; what is not CSI does not count. */
export function listExitCode({ drivers }: NodeReport): number {
  const counted = drivers.filter(({ outcome }) => outcome.kind !== "notCsi");
  if (counted.length === 0) return 2;
  return counted.every(({ outcome }) => outcome.kind === "ready") ? 0 : 4;
}
