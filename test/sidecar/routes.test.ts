import { describe, expect, test } from "bun:test";
import { answerLive, answerMetrics, answerReady, createHandler, textResponse } from "../../src/sidecar/routes";

const handle = createHandler([
  { path: "/healthz", answer: () => textResponse(200, "health") },
  { path: "/metrics", answer: () => textResponse(200, "metrics") },
]);

function request(target: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Request {
  return new Request(`http://node${target}`, { method, headers });
}

describe("a path that is served", () => {
  test.each([
    ["the path itself", "/healthz", "health"],
    ["with a query", "/healthz?x=1", "health"],
    ["percent-encoded", "/%68ealthz", "health"],
    ["another one", "/metrics", "metrics"],
  ])("%s", async (_, target, body) => {
    expect(await (await handle(request(target))).text()).toBe(body);
  });

  test.each(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])(
    "%s is as good as any other method",
    async (method) => {
      expect((await handle(request("/healthz", {}, method))).status).toBe(200);
    },
  );
});

describe("a path with doubled slashes is redirected to the clean path", () => {
  test.each([
    ["a doubled slash", "//healthz", "/healthz"],
    ["with its query", "//healthz?x=1", "/healthz?x=1"],
    ["with its trailing slash", "//healthz/", "/healthz/"],
    ["with an encoded newline kept encoded", "//a%0d%0aSet-Cookie:b", "/a%0D%0ASet-Cookie:b"],
    ["with an encoded question mark kept encoded", "//a%3Fb%23c", "/a%3Fb%23c"],
    ["never to another host", "///evil.example/", "/evil.example/"],
    ["never to another host by an encoded backslash", "//%5Cevil.example", "/%5Cevil.example"],
    ["never to another host by an encoded slash", "/%2Fevil.example", "/evil.example"],
  ])("%s", async (_, target, location) => {
    const response = await handle(request(target));
    expect({ status: response.status, location: response.headers.get("Location") }).toEqual({ status: 307, location });
  });
});

test.each(["/./healthz", "/a/../healthz", "/a/%2e%2e/healthz", "/../../healthz"])(
  "Bun resolves the dot segments of %s before it is routed",
  async (target) => {
    expect(await (await handle(request(target))).text()).toBe("health");
  },
);

describe("a path that is not served", () => {
  test.each(["/", "/healthz/", "/HEALTHZ", "/healthzz", "/health"])(
    "%s is not found, in Go's words",
    async (target) => {
      const response = await handle(request(target));
      expect(response.status).toBe(404);
      expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(response.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
      expect(await response.text()).toBe("404 page not found\n");
    },
  );

  test.each(["/%", "/%zz", "/%ff"])("%s is a bad request", async (target) => {
    expect((await handle(request(target))).status).toBe(400);
  });
});

test.each([
  ["a ready driver", { kind: "ready", timing: { elapsedMs: 1 } }, 200, 200, "ok"],
  [
    "a driver that is not ready",
    { kind: "notReady", timing: { elapsedMs: 1 } },
    500,
    200,
    "driver responded but is not ready",
  ],
  [
    "a failed probe, with the reason",
    { kind: "failed", reason: "hung", message: "hung: no answer", timing: { elapsedMs: 1 } },
    500,
    500,
    "hung: no answer",
  ],
] as const)("/healthz and /readyz, and /livez, tell of %s", async (_, result, ready, live, body) => {
  const answers = [answerReady(result), answerLive(result)];
  expect(answers.map(({ status }) => status)).toEqual([ready, live]);
  expect(answers.map(({ headers }) => headers.get("Content-Type"))).toEqual(
    answers.map(() => "text/plain; charset=utf-8"),
  );
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual([body, body]);
});

describe("a scrape", () => {
  test("has the Go sidecar's headers", async () => {
    const response = answerMetrics(request("/metrics"), "a 1\n", 1_795_341_456.9);
    expect(Object.fromEntries(response.headers)).toEqual({
      "content-type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
      "process-start-time-unix": "1795341456",
    });
    expect(await response.text()).toBe("a 1\n");
  });

  test("is the same text also where OpenMetrics is asked for", () => {
    const response = answerMetrics(request("/metrics", { accept: "application/openmetrics-text" }), "", 0);
    expect(response.headers.get("Content-Type")).toStartWith("text/plain; version=0.0.4");
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
  ])("that accepts %p is compressed: %p", async (accepted, compressed) => {
    const response = answerMetrics(request("/metrics", { "accept-encoding": accepted }), "a 1\n", 0);
    expect(response.headers.get("Content-Encoding") === "gzip").toBe(compressed);
    const body = new Uint8Array(await response.arrayBuffer());
    expect(new TextDecoder().decode(compressed ? Bun.gunzipSync(body) : body)).toBe("a 1\n");
  });
});
