import { formatDuration } from "../base/duration";
import type { CallTiming } from "../driver/client";
import type { ProbeResult } from "../driver/probe";
import { outcomeMembers, renderDocument } from "./json";
import { tenths } from "./layout";

/** One probe in one line, with the newline: the state, and why. */
export function renderCheckLine(socketPath: string, result: ProbeResult): string {
  const { timing } = result;
  switch (result.kind) {
    case "ready":
      return `ready: ${socketPath} (${phases(timing)})\n`;
    case "notReady":
      return `not ready: the driver on ${socketPath} responded but is not ready (${phases(timing)})\n`;
    case "failed":
      return `${result.message}\n`;
  }
  return result satisfies never;
}

/** One probe as a JSON document, with a newline at its end (docs/output.schema.json). */
export function renderCheckJson(socketPath: string, result: ProbeResult): string {
  const { timing, ...told } = result;
  const { elapsedMs, connectMs, rpc } = timing;
  return renderDocument("ProbeResult", {
    socket: socketPath,
    ...outcomeMembers(told.kind === "failed" && told.notAsked ? { kind: "notAsked", message: told.message } : told),
    elapsedMs: tenths(elapsedMs),
    connectMs: connectMs === undefined ? undefined : tenths(connectMs),
    callMs: rpc === undefined ? undefined : tenths(rpc.durationMs),
  });
}

function phases({ elapsedMs, connectMs, rpc }: CallTiming): string {
  const parts = [
    ...(connectMs === undefined ? [] : [`connect ${shown(connectMs)}`]),
    ...(rpc === undefined ? [] : [`call ${shown(rpc.durationMs)}`]),
  ];
  return parts.length === 0 ? shown(elapsedMs) : parts.join(", ");
}

function shown(ms: number): string {
  return formatDuration(tenths(ms));
}
