import { type CommandDef, defineCommand } from "citty";
import { createIdentityClient } from "../driver/identity";
import type { CommandLine } from "../cli/argv";
import type { Edge } from "../cli/edge";
import { ConfigError } from "../base/errors";
import { type CheckOptions, readCheckOptions } from "../cli/operator-options";
import { outcomeExitCode } from "./exit-code";
import { probeOnce } from "../driver/probe";
import type { ProbeResult } from "../driver/probe-result";
import { lookAtSocketFile } from "../driver/socket-file";
import { renderCheckJson, renderCheckLine } from "../terminal/check-line";
import { quote } from "../base/text";
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
  /** What connect(2) gets. */
  readonly connectPath: string;
}

async function findDriver({ target, probeTimeoutMs, ...places }: CheckOptions): Promise<CheckedDriver> {
  if (target.kind === "address") return { socketPath: target.socketPath, connectPath: target.socketPath };
  // Imported here: whoever gives an address loads none of it.
  const [{ openNode }, { findNamedDriver }] = await Promise.all([
    import("../inspection/node-view"),
    import("../inspection/named-driver"),
  ]);
  const found = await findNamedDriver(target.name, await openNode(places), { probeTimeoutMs, userAgent: USER_AGENT });
  if (found.connectPath === undefined)
    throw new ConfigError(
      `driver ${quote(target.name)} is registered with ${found.path}, which is not to be connected to: livenessprobe list says why`,
    );
  return { socketPath: found.path, connectPath: found.connectPath };
}

/** The last result; each one before it that is news is told on standard error. */
async function probeUntilReady(
  { socketPath, connectPath }: CheckedDriver,
  { probeTimeoutMs, waitMs }: CheckOptions,
  edge: Edge,
): Promise<ProbeResult> {
  const until = performance.now() + waitMs;
  let told = "";
  for (;;) {
    const timeoutMs = waitMs === 0 ? probeTimeoutMs : Math.min(probeTimeoutMs, Math.max(1, until - performance.now()));
    const client = createIdentityClient({
      socketPath: connectPath,
      timeoutMs,
      userAgent: USER_AGENT,
      attempts: "one",
    });
    const look = () => lookAtSocketFile(connectPath);
    const result = await probeOnce({ client, socketPath, uid: edge.uid, lookAtSocketFile: look });
    if (result.kind === "ready" || performance.now() + PAUSE_MS >= until) return result;
    const news = result.kind === "failed" ? result.reason : result.kind;
    if (news !== told) edge.writeError(`waiting: ${renderCheckLine(socketPath, result)}\n`);
    told = news;
    await Bun.sleep(PAUSE_MS);
  }
}
