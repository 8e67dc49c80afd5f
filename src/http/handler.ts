import { posix } from "node:path";
import type { ProbeResult } from "../probe-result";
import type { HttpRequest } from "./request";

/** A path that is served, and what answers it. */
export interface Route {
  readonly path: string;
  answer(request: HttpRequest): Response | Promise<Response>;
}

/**
 * Routes as the Go sidecar does: any method alike, the query ignored, the path compared after percent-decoding, doubled
 * slashes and dot segments redirected away, 404 for the rest.
 */
export function createHandler(routes: readonly Route[]): (request: HttpRequest) => Response | Promise<Response> {
  return (request) => {
    const path = decode(request.path);
    if (path === undefined) return text(400, "malformed path\n");
    const clean = posix.normalize(path);
    if (clean !== path) return text(307, "", { location: encodePath(clean) + request.query });
    const route = routes.find((candidate) => candidate.path === path);
    return route?.answer(request) ?? text(404, "404 page not found\n", { "x-content-type-options": "nosniff" });
  };
}

/**
 * The HTTP answer to a probe's result. The bodies `ok` (no newline) and `driver responded but is not ready` are the Go
 * sidecar's: people match on them.
 */
export function answerHealthz(result: ProbeResult): Response {
  switch (result.kind) {
    case "ready":
      return text(200, "ok");
    case "notReady":
      return text(500, "driver responded but is not ready");
    case "failed":
      return text(500, result.message);
  }
  return result satisfies never;
}

/** The HTTP answer to a scrape, compressed where the client allows it; headers as the Go sidecar's. */
export function answerMetrics(request: HttpRequest, metrics: string, startTimeSeconds: number): Response {
  const headers = {
    "content-type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
    "process-start-time-unix": String(Math.floor(startTimeSeconds)),
  };
  if (!acceptsGzip(request.headers.get("accept-encoding") ?? "")) return new Response(metrics, { headers });
  return new Response(Bun.gzipSync(metrics), { headers: { ...headers, "content-encoding": "gzip" } });
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
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
