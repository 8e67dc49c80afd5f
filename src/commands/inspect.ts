import { type ArgsDef, type CommandDef, defineCommand } from "citty";
import type { Edge } from "../edge";
import { ConfigError } from "../errors";
import { inspectDriver } from "../inspection";
import { type NodeView, openNode, surveyNode } from "../node-survey";
import { INSPECT_FLAGS } from "../operator-flags";
import { type InspectOptions, readInspectOptions } from "../operator-options";
import { outcomeExitCode } from "../outcome-exit-code";
import { lookAtSocketFile } from "../socket-file";
import { renderInspectionJson } from "../terminal/inspect-json";
import { renderInspection } from "../terminal/inspect-text";
import { decideStyle } from "../terminal/style";
import { quote } from "../text";
import { VERSION } from "../version";
import { givenFlags } from "./given-flags";

const ARGS: ArgsDef = Object.fromEntries(INSPECT_FLAGS.map(({ name }) => [name, { type: "string" }]));

/** `livenessprobe inspect ADDRESS|DRIVER`: one driver in depth. Its `run` returns the exit code and throws ConfigError. */
export function defineInspect(edge: Edge, words: readonly string[]): CommandDef {
  return defineCommand({
    meta: { name: "inspect", description: "One driver in depth" },
    args: ARGS,
    run: ({ args }) => inspect(readInspectOptions(givenFlags(args, INSPECT_FLAGS), words), edge),
  });
}

async function inspect(options: InspectOptions, edge: Edge): Promise<number> {
  const node = await openNode(options);
  const { uid } = edge;
  const common = { uid, userAgent: `livenessprobe/${VERSION}`, lookAtSocketFile };
  const socketPath = await findSocketPath(options, node, common);
  const report = await inspectDriver({ ...options, ...common, socketPath, node });
  const text =
    options.output === "json"
      ? renderInspectionJson(report)
      : renderInspection(report, decideStyle(edge.streamFacts("out")));
  edge.writeOut(text);
  return outcomeExitCode(report.outcome);
}

type Common = Pick<Parameters<typeof surveyNode>[0], "uid" | "userAgent" | "lookAtSocketFile">;

/** A driver's name is looked for where `list` looks; one that does not tell its name is found by its directory's. */
async function findSocketPath({ target, ...options }: InspectOptions, node: NodeView, common: Common): Promise<string> {
  if (target.kind === "address") return target.socketPath;
  const byDirectory = node.search.sockets.filter(
    ({ path, directory }) => directory !== "plugins_registry" && path.split("/").includes(target.name),
  );
  const [only, ...more] = byDirectory;
  if (only !== undefined && more.length === 0) return only.path;
  const silent = { driver: target.name, wide: false, findListener: async () => undefined, onProgress: () => undefined };
  const { drivers } = await surveyNode({ ...options, ...common, ...silent });
  const [first, ...others] = drivers;
  if (first === undefined)
    throw new ConfigError(`there is no driver ${quote(target.name)} here: livenessprobe list shows those there are`);
  if (others.length > 0)
    throw new ConfigError(
      `there are ${drivers.length} drivers ${quote(target.name)}: name a socket, ${drivers.map(({ socket }) => socket).join(" or ")}`,
    );
  return first.socket;
}
