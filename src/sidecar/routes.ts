import { posix } from "node:path";
import { attempt } from "../base/errors";
import { messageOf } from "./history";
import type { ProbeResult } from "../driver/probe";

/** A path and its answer. */
export interface Route {
  readonly path: string;
  answer(request: Request): Response | Promise<Response>;
}

// Path and query. Not `new URL`, which would normalize the path. Without a Host header, Bun's URL has no origin.
const TARGET = /^(?:https?:\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?/i;

/**
 * Routes as the Go sidecar does: for any method, without the query, by the decoded path. A path with doubled slashes or
 * dot segments is redirected; an unknown one is 404.
 */
export function createHandler(routes: readonly Route[]): (request: Request) => Response | Promise<Response> {
  return (request) => {
    const [, encoded = "", query = ""] = TARGET.exec(request.url) ?? [];
    const path = attempt(() => decodeURIComponent(encoded || "/"));
    if (path === undefined) return textResponse(400, "malformed path\n");
    const clean = posix.normalize(path);
    if (clean !== path) return textResponse(307, "", { Location: encodePath(clean) + query });
    const route = routes.find((candidate) => candidate.path === path);
    return route?.answer(request) ?? textResponse(404, "404 page not found\n", { "X-Content-Type-Options": "nosniff" });
  };
}

/**
 * The answer of `/healthz` and `/readyz`: 200 when the driver is ready. The bodies `ok` (no newline) and `driver
 * responded but is not ready` are those of the Go sidecar, because people match on them.
 */
export function answerReady(result: ProbeResult): Response {
  return textResponse(result.kind === "ready" ? 200 : 500, bodyOf(result));
}

/**
 * The answer of `/livez`: 200 when the driver has answered the probe, ready or not. `ready: false` means that the
 * driver is initialising; a restart would only start that again (CSI specification, Identity/Probe).
 */
export function answerLive(result: ProbeResult): Response {
  return textResponse(result.kind === "failed" ? 500 : 200, bodyOf(result));
}

/** The answer to a scrape, compressed if the client accepts it, with the headers of the Go sidecar. */
export function answerMetrics(request: Request, metrics: string, startTimeSeconds: number): Response {
  const headers = {
    "Content-Type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
    "Process-Start-Time-Unix": String(Math.floor(startTimeSeconds)),
  };
  if (!acceptsGzip(request.headers.get("accept-encoding") ?? "")) return new Response(metrics, { headers });
  return new Response(Bun.gzipSync(metrics), { headers: { ...headers, "Content-Encoding": "gzip" } });
}

/** A response in plain text. */
export function textResponse(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers } });
}

function bodyOf(result: ProbeResult): string {
  return result.kind === "ready" ? "ok" : messageOf(result);
}

// encodeURI keeps these two, which would end the path.
function encodePath(path: string): string {
  return encodeURI(path).replaceAll("?", "%3F").replaceAll("#", "%23");
}

function acceptsGzip(acceptEncoding: string): boolean {
  return /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)/i.test(acceptEncoding);
}
