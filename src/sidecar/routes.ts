import { posix } from "node:path";
import type { ProbeResult } from "../driver/probe-result";

/** A path that is served, and what answers it. */
export interface Route {
  readonly path: string;
  answer(request: Request): Response | Promise<Response>;
}

/**
 * Routes as the Go sidecar does: any method alike, the query ignored, the path compared after percent-decoding, doubled
 * slashes and dot segments redirected away, 404 for the rest.
 */
export function createHandler(routes: readonly Route[]): (request: Request) => Response | Promise<Response> {
  return (request) => {
    const target = readTarget(request.url);
    const path = decode(target.path);
    if (path === undefined) return textResponse(400, "malformed path\n");
    const clean = posix.normalize(path);
    if (clean !== path) return textResponse(307, "", { Location: encodePath(clean) + target.query });
    const route = routes.find((candidate) => candidate.path === path);
    return route?.answer(request) ?? textResponse(404, "404 page not found\n", { "X-Content-Type-Options": "nosniff" });
  };
}

/**
 * The answer of `/healthz` and `/readyz` to a probe's result: 200 when the driver is ready. The bodies `ok` (no newline) and
 * `driver responded but is not ready` are the Go sidecar's: people match on them.
 */
export function answerReady(result: ProbeResult): Response {
  return textResponse(result.kind === "ready" ? 200 : 500, bodyOf(result));
}

/**
 * The answer of `/livez`: 200 when the driver has answered the probe, ready or not. `ready: false` means that it initialises,
 * which a restart would only begin anew (CSI specification, Identity/Probe).
 */
export function answerLive(result: ProbeResult): Response {
  return textResponse(result.kind === "failed" ? 500 : 200, bodyOf(result));
}

/** The HTTP answer to a scrape, compressed where the client allows it; headers as the Go sidecar's. */
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
  switch (result.kind) {
    case "ready":
      return "ok";
    case "notReady":
      return "driver responded but is not ready";
    case "failed":
      return result.message;
  }
  return result satisfies never;
}

interface Target {
  /** As it was sent, percent-encoded. */
  readonly path: string;
  /** With its question mark; empty where there is none. */
  readonly query: string;
}

// Not `new URL`, which would clean the path. Bun leaves the origin out where the request has no Host.
function readTarget(url: string): Target {
  const [, path = "", query = ""] = /^(?:https?:\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?/i.exec(url) ?? [];
  return { path: path || "/", query };
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

// encodeURI leaves the two characters that would end the path.
function encodePath(path: string): string {
  return encodeURI(path).replaceAll("?", "%3F").replaceAll("#", "%23");
}

function acceptsGzip(acceptEncoding: string): boolean {
  return /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)/i.test(acceptEncoding);
}
