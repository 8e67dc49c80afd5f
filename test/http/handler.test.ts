import { describe, expect, test } from "bun:test";
import { answerHealthz, answerMetrics, createHandler } from "../../src/http/handler";
import type { HttpRequest } from "../../src/http/request";
import { textResponse } from "../../src/http/response";

const handle = createHandler([
  { path: "/healthz", answer: () => textResponse(200, "health") },
  { path: "/metrics", answer: () => textResponse(200, "metrics") },
]);

function request(target: string, headers: readonly (readonly [string, string])[] = [], method = "GET"): HttpRequest {
  const [path = "", ...query] = target.split(/(?=\?)/);
  return { method, path, query: query.join(""), headers: new Map(headers) };
}

describe("a path that is served", () => {
  test.each([
    ["the path itself", "/healthz", "health"],
    ["with a query", "/healthz?x=1", "health"],
    ["percent-encoded", "/%68ealthz", "health"],
    ["another one", "/metrics", "metrics"],
  ])("%s", async (_, target, body) => {
    expect((await handle(request(target))).body).toBe(body);
  });

  test.each(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])(
    "%s is as good as any other method",
    async (method) => {
      expect((await handle(request("/healthz", [], method))).status).toBe(200);
    },
  );
});

describe("a path that is not clean is redirected to the one that is", () => {
  test.each([
    ["a doubled slash", "//healthz", "/healthz"],
    ["a dot", "/./healthz", "/healthz"],
    ["two dots", "/a/../healthz", "/healthz"],
    ["encoded dots", "/a/%2e%2e/healthz", "/healthz"],
    ["dots above the root", "/../../healthz", "/healthz"],
    ["with its query", "//healthz?x=1", "/healthz?x=1"],
    ["with its trailing slash", "//healthz/", "/healthz/"],
    ["with an encoded newline kept encoded", "//a%0d%0aSet-Cookie:b", "/a%0D%0ASet-Cookie:b"],
    ["with an encoded question mark kept encoded", "//a%3Fb%23c", "/a%3Fb%23c"],
    ["never to another host", "///evil.example/..", "/"],
    ["never to another host by a backslash", "//\\evil.example", "/%5Cevil.example"],
  ])("%s", async (_, target, location) => {
    const response = await handle(request(target));
    expect({ status: response.status, location: response.headers["Location"] }).toEqual({ status: 307, location });
  });
});

describe("a path that is not served", () => {
  test.each(["/", "/healthz/", "/HEALTHZ", "/healthzz", "/health"])(
    "%s is not found, in Go's words",
    async (target) => {
      const response = await handle(request(target));
      expect(response.status).toBe(404);
      expect(response.headers["X-Content-Type-Options"]).toBe("nosniff");
      expect(response.headers["Content-Type"]).toBe("text/plain; charset=utf-8");
      expect(response.body).toBe("404 page not found\n");
    },
  );

  test.each(["/%", "/%zz", "/%ff"])("%s is a bad request", async (target) => {
    expect((await handle(request(target))).status).toBe(400);
  });
});

test.each([
  ["a ready driver", { kind: "ready", timing: { elapsedMs: 1 } }, 200, "ok"],
  [
    "a driver that is not ready",
    { kind: "notReady", timing: { elapsedMs: 1 } },
    500,
    "driver responded but is not ready",
  ],
  [
    "a failed probe, with the reason",
    { kind: "failed", reason: "hung", message: "hung: no answer", timing: { elapsedMs: 1 } },
    500,
    "hung: no answer",
  ],
] as const)("/healthz tells of %s", (_, result, status, body) => {
  const response = answerHealthz(result);
  expect({ status: response.status, type: response.headers["Content-Type"], body: response.body }).toEqual({
    status,
    type: "text/plain; charset=utf-8",
    body,
  });
});

describe("a scrape", () => {
  test("has the Go sidecar's headers", () => {
    const response = answerMetrics(request("/metrics"), "a 1\n", 1_795_341_456.9);
    expect(response.headers).toEqual({
      "Content-Type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
      "Process-Start-Time-Unix": "1795341456",
    });
    expect(response.body).toBe("a 1\n");
  });

  test("is the same text also where OpenMetrics is asked for", () => {
    const response = answerMetrics(request("/metrics", [["accept", "application/openmetrics-text"]]), "", 0);
    expect(response.headers["Content-Type"]).toStartWith("text/plain; version=0.0.4");
  });

  test.each([
    ["gzip", true],
    ["deflate, gzip;q=0.5", true],
    ["GZIP", true],
    ["gzip;q=1.0, br", true],
    ["gzip;q=0", false],
    ["gzip; q=0.000, br", false],
    ["x-gzip", false],
    ["br", false],
    ["", false],
  ])("that accepts %p is compressed: %p", (accepted, compressed) => {
    const response = answerMetrics(request("/metrics", [["accept-encoding", accepted]]), "a 1\n", 0);
    expect(response.headers["Content-Encoding"] === "gzip").toBe(compressed);
    const body = Buffer.from(response.body);
    expect(new TextDecoder().decode(compressed ? Bun.gunzipSync(body) : body)).toBe("a 1\n");
  });
});
