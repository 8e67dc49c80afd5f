import { formatDuration } from "../duration";
import type { ProbeResult, ProbeTiming } from "../probe-result";

/** One probe in one line, without the newline: the state, and why. */
export function renderCheckLine(socketPath: string, result: ProbeResult): string {
  const { timing } = result;
  switch (result.kind) {
    case "ready":
      return `ready: ${socketPath} (${phases(timing)})`;
    case "notReady":
      return `not ready: the driver on ${socketPath} responded but is not ready (${phases(timing)})`;
    case "failed":
      return result.message;
  }
  return result satisfies never;
}

/** One probe as a JSON document, with a newline at its end (docs/output.schema.json). */
export function renderCheckJson(socketPath: string, result: ProbeResult): string {
  const { elapsedMs, connectMs, rpc } = result.timing;
  const document = {
    apiVersion: API_VERSION,
    kind: "ProbeResult",
    socket: socketPath,
    state: result.kind,
    ...(result.kind === "failed" ? { reason: result.reason, message: result.message } : {}),
    elapsedMs: tenths(elapsedMs),
    ...(connectMs === undefined ? {} : { connectMs: tenths(connectMs) }),
    ...(rpc === undefined ? {} : { callMs: tenths(rpc.durationMs) }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Of every document: fields are only ever added within it. */
export const API_VERSION = "livenessprobe/v1";

function phases({ elapsedMs, connectMs, rpc }: ProbeTiming): string {
  const parts = [
    ...(connectMs === undefined ? [] : [`connect ${shown(connectMs)}`]),
    ...(rpc === undefined ? [] : [`call ${shown(rpc.durationMs)}`]),
  ];
  return parts.length === 0 ? shown(elapsedMs) : parts.join(", ");
}

function shown(ms: number): string {
  return formatDuration(tenths(ms));
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
