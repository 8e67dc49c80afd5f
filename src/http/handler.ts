import { posix } from "node:path";
import type { ProbeResult } from "../probe-result";
import type { HttpRequest } from "./request";
import { textResponse, type HttpResponse } from "./response";

/** A path that is served, and what answers it. */
export interface Route {
  readonly path: string;
  answer(request: HttpRequest): HttpResponse | Promise<HttpResponse>;
}

/**
 * Routes as the Go sidecar does: any method alike, the query ignored, the path compared after percent-decoding, doubled
 * slashes and dot segments redirected away, 404 for the rest.
 */
export function createHandler(
  routes: readonly Route[],
): (request: HttpRequest) => HttpResponse | Promise<HttpResponse> {
  return (request) => {
    const path = decode(request.path);
    if (path === undefined) return textResponse(400, "malformed path\n");
    const clean = posix.normalize(path);
    if (clean !== path) return textResponse(307, "", { Location: encodePath(clean) + request.query });
    const route = routes.find((candidate) => candidate.path === path);
    return route?.answer(request) ?? textResponse(404, "404 page not found\n", { "X-Content-Type-Options": "nosniff" });
  };
}

/**
 * The HTTP answer to a probe's result. The bodies `ok` (no newline) and `driver responded but is not ready` are the Go
 * sidecar's: people match on them.
 */
export function answerHealthz(result: ProbeResult): HttpResponse {
  switch (result.kind) {
    case "ready":
      return textResponse(200, "ok");
    case "notReady":
      return textResponse(500, "driver responded but is not ready");
    case "failed":
      return textResponse(500, result.message);
  }
  return result satisfies never;
}

/** The HTTP answer to a scrape, compressed where the client allows it; headers as the Go sidecar's. */
export function answerMetrics(request: HttpRequest, metrics: string, startTimeSeconds: number): HttpResponse {
  const headers = {
    "Content-Type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
    "Process-Start-Time-Unix": String(Math.floor(startTimeSeconds)),
  };
  if (!acceptsGzip(request.headers.get("accept-encoding") ?? "")) return { status: 200, headers, body: metrics };
  return { status: 200, headers: { ...headers, "Content-Encoding": "gzip" }, body: Bun.gzipSync(metrics) };
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
