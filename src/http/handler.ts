import type { ProbeResult } from "../probe-result";

/** A path that is served, and what answers it. */
export interface Route {
  readonly path: string;
  answer(request: Request): Response | Promise<Response>;
}

/**
 * Routes as the Go sidecar does: any method alike, the query ignored, the path compared after percent-decoding, doubled
 * slashes redirected away, 404 for the rest. Each answer closes its connection.
 */
export function createHandler(routes: readonly Route[]): (request: Request) => Response | Promise<Response> {
  return (request) => {
    const path = pathOf(request.url);
    if (path === undefined) return text(400, "malformed path\n");
    const clean = path.replace(/\/{2,}/g, "/");
    if (clean !== path) return redirect(clean, request.url);
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
export function answerMetrics(request: Request, metrics: string, startTimeSeconds: number): Response {
  const headers = {
    "content-type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
    "process-start-time-unix": String(Math.floor(startTimeSeconds)),
    connection: "close",
  };
  if (!acceptsGzip(request.headers.get("accept-encoding"))) return new Response(metrics, { headers });
  return new Response(Bun.gzipSync(metrics), { headers: { ...headers, "content-encoding": "gzip" } });
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", connection: "close", ...headers },
  });
}

function redirect(path: string, url: string): Response {
  const query = url.indexOf("?");
  const location = path + (query === -1 ? "" : url.slice(query));
  return text(307, "", { location: encodeURI(decodeURI(location)) });
}

// Bun gives an absolute URL, or the bare target where HTTP/1.0 sent no Host.
function pathOf(url: string): string | undefined {
  const authority = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  const path = url.slice(authority).split(/[?#]/, 1)[0] ?? "";
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function acceptsGzip(acceptEncoding: string | null): boolean {
  return /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)/i.test(acceptEncoding ?? "");
}
