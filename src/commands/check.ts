import { type ArgsDef, type CommandDef, defineCommand } from "citty";
import { createIdentityClient } from "../csi/identity";
import type { Edge } from "../edge";
import { CHECK_FLAGS } from "../operator-flags";
import { type CheckOptions, readCheckOptions } from "../operator-options";
import { outcomeExitCode } from "../outcome-exit-code";
import { probeOnce } from "../probe";
import type { ProbeResult } from "../probe-result";
import { lookAtSocketFile } from "../socket-file";
import { renderCheckJson, renderCheckLine } from "../terminal/check-line";
import { VERSION } from "../version";
import { givenFlags } from "./given-flags";

const ARGS: ArgsDef = Object.fromEntries(CHECK_FLAGS.map(({ name }) => [name, { type: "string" }]));

/** `livenessprobe check [ADDRESS]`: one probe, one line. Its `run` returns the exit code and throws ConfigError. */
export function defineCheck(edge: Edge, words: readonly string[]): CommandDef {
  return defineCommand({
    meta: { name: "check", description: "Probe the driver once" },
    args: ARGS,
    run: ({ args }) => check(readCheckOptions(givenFlags(args, CHECK_FLAGS), words), edge),
  });
}

/** Between two probes of `--wait`. */
const PAUSE_MS = 500;

async function check(options: CheckOptions, edge: Edge): Promise<number> {
  const { socketPath, output } = options;
  const result = await probeUntilReady(options, edge);
  edge.writeOut(output === "json" ? renderCheckJson(socketPath, result) : `${renderCheckLine(socketPath, result)}\n`);
  return outcomeExitCode(result);
}

/** The last result; each one before it that is news is told on standard error. */
async function probeUntilReady({ socketPath, probeTimeoutMs, waitMs }: CheckOptions, edge: Edge): Promise<ProbeResult> {
  const until = performance.now() + waitMs;
  let told = "";
  for (;;) {
    const timeoutMs = waitMs === 0 ? probeTimeoutMs : Math.min(probeTimeoutMs, Math.max(1, until - performance.now()));
    const client = createIdentityClient({
      socketPath,
      timeoutMs,
      userAgent: `livenessprobe/${VERSION}`,
      attempts: "one",
    });
    const result = await probeOnce({ client, socketPath, uid: edge.uid, lookAtSocketFile });
    if (result.kind === "ready" || performance.now() + PAUSE_MS >= until) return result;
    const news = result.kind === "failed" ? result.reason : result.kind;
    if (news !== told) edge.writeError(`waiting: ${renderCheckLine(socketPath, result)}\n`);
    told = news;
    const stopped = await Promise.race([Bun.sleep(PAUSE_MS), edge.stopRequested.then(() => "stopped")]);
    if (stopped === "stopped") return result;
  }
}
