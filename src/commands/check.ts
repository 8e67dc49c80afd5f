import { type CommandDef, defineCommand } from "citty";
import { createIdentityClient } from "../driver/identity";
import type { CommandLine } from "../cli/argv";
import type { Edge } from "../cli/edge";
import { type CheckOptions, readCheckOptions } from "../cli/operator-options";
import { outcomeExitCode } from "./exit-code";
import { GONE_PATH, type PinnedSocket } from "../node/pinned-socket";
import { probeOnce } from "../driver/probe";
import type { ProbeResult } from "../driver/probe-result";
import { lookAtSocketFile } from "../driver/socket-file";
import { renderCheckJson, renderCheckLine } from "../terminal/check-line";
import { VERSION } from "../version";

/** `livenessprobe check [ADDRESS|DRIVER]`: one probe, one line. Its `run` returns the exit code and throws ConfigError. */
export function defineCheck(edge: Edge, { values, words }: CommandLine): CommandDef {
  return defineCommand({
    meta: { name: "check", description: "Probe the driver once" },
    run: () => check(readCheckOptions(values, words), edge),
  });
}

const USER_AGENT = `livenessprobe/${VERSION}`;

/** Between two probes of `--wait`. */
const PAUSE_MS = 500;

async function check(options: CheckOptions, edge: Edge): Promise<number> {
  const { output } = options;
  const driver = await findDriver(options);
  const { socketPath } = driver;
  const result = await probeUntilReady(driver, options, edge);
  edge.writeOut(output === "json" ? renderCheckJson(socketPath, result) : `${renderCheckLine(socketPath, result)}\n`);
  return outcomeExitCode(result);
}

interface CheckedDriver {
  /** As messages name it: as the kubelet knows it. */
  readonly socketPath: string;
  /** Holds its socket for one probe; by a name, what its path leads to may change between two. */
  readonly hold: () => PinnedSocket | undefined;
}

async function findDriver({ target, probeTimeoutMs, ...places }: CheckOptions): Promise<CheckedDriver> {
  if (target.kind === "address") {
    const { socketPath } = target;
    return { socketPath, hold: () => ({ path: socketPath, [Symbol.dispose]: () => {} }) };
  }
  // Imported here: whoever gives an address loads none of it.
  const [{ holdSocket, openNode }, { findNamedDriver }] = await Promise.all([
    import("../inspection/node-view"),
    import("../inspection/named-driver"),
  ]);
  const node = await openNode(places);
  const { path } = await findNamedDriver(target.name, node, { probeTimeoutMs, userAgent: USER_AGENT });
  return { socketPath: path, hold: () => holdSocket(node, path) };
}

/** The last result; each one before it that is news is told on standard error. */
async function probeUntilReady(
  { socketPath, hold }: CheckedDriver,
  { probeTimeoutMs, waitMs }: CheckOptions,
  edge: Edge,
): Promise<ProbeResult> {
  const begun = performance.now();
  const until = begun + waitMs;
  let told = "";
  for (;;) {
    // The last one has half a second too: a driver that is ready must not be called hung.
    const leftMs = Math.max(PAUSE_MS, until - performance.now());
    const timeoutMs = waitMs === 0 ? probeTimeoutMs : Math.min(probeTimeoutMs, leftMs);
    using held = hold();
    const connectPath = held?.path ?? GONE_PATH;
    const client = createIdentityClient({
      socketPath: connectPath,
      timeoutMs,
      userAgent: USER_AGENT,
      attempts: "one",
    });
    const look = () => lookAtSocketFile(connectPath);
    const triedMs = () => performance.now() - begun;
    const result = await probeOnce({ client, socketPath, uid: edge.uid, lookAtSocketFile: look, triedMs });
    const restMs = until - performance.now();
    if (result.kind === "ready" || restMs <= 0) return result;
    const news = result.kind === "failed" ? result.reason : result.kind;
    if (news !== told) edge.writeError(`waiting: ${renderCheckLine(socketPath, result)}\n`);
    told = news;
    await Bun.sleep(Math.min(PAUSE_MS, restMs));
  }
}
