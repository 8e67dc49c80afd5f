import { expect, test } from "bun:test";
import { textResponse, type HttpResponse } from "../../src/http/response";
import { startHttpServer, type HttpServer, type HttpServerOptions } from "../../src/http/server";
import { bodyOf, connectTcp, statusOf } from "../support/tcp-client";

function start(handle: HttpServerOptions["handle"], hostname?: string): HttpServer & Disposable {
  const server = startHttpServer({ hostname, port: 0, maxConnections: 10, handle });
  return { ...server, [Symbol.dispose]: server.terminate };
}

function urlOf({ address }: HttpServer): string {
  return `http://${address.replace("[::]", "127.0.0.1")}`;
}

test.each([
  ["every address", undefined, /^\[::\]:\d+$/],
  ["an IPv4 address", "127.0.0.1", /^127\.0\.0\.1:\d+$/],
  ["an IPv6 address in brackets", "::1", /^\[::1\]:\d+$/],
  ["localhost by its IPv4 address", "LocalHost", /^127\.0\.0\.1:\d+$/],
] as const)("it says that it listens on %s", (_, hostname, address) => {
  using server = start(() => textResponse(200, "ok"), hostname);
  expect(server.address).toMatch(address);
});

test("a request is handed on as it was sent", async () => {
  using server = start(({ method, path, query, headers }) =>
    textResponse(200, JSON.stringify({ method, path, query, host: headers.get("host") })),
  );
  using client = await connectTcp(urlOf(server), "PUT /./%68ealthz?x HTTP/1.1\r\nHost: node\r\n\r\n");
  expect(JSON.parse(bodyOf(await client.answer()))).toEqual({
    method: "PUT",
    path: "/./%68ealthz",
    query: "?x",
    host: "node",
  });
});

test("a client of the platform takes the answer whole", async () => {
  using server = start(async () => textResponse(500, "x".repeat(1_000_000)));
  const response = await fetch(urlOf(server));
  expect([response.status, (await response.text()).length]).toEqual([500, 1_000_000]);
});

test("HEAD is answered without the body", async () => {
  using server = start(() => textResponse(200, "ok"));
  using client = await connectTcp(urlOf(server), "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  const answer = await client.answer();
  expect([statusOf(answer), bodyOf(answer)]).toEqual([200, ""]);
  expect(answer).toContain("\r\nContent-Length: 2\r\n");
});

test("what cannot be read is refused with the reason", async () => {
  using server = start(() => textResponse(200, "ok"));
  using client = await connectTcp(urlOf(server), "GET / HTTP/1.1\r\n\r\n");
  const answer = await client.answer();
  expect([statusOf(answer), bodyOf(answer)]).toEqual([400, "the request must have a Host header\n"]);
});

test.each([
  [
    "throws",
    () => {
      throw new Error("broken");
    },
  ],
  ["rejects", () => Promise.reject(new Error("broken"))],
] as const)("a handler that %s is an internal error of ours, and the next request is answered", async (_, fail) => {
  let calls = 0;
  using server = start(() => (calls++ === 0 ? fail() : textResponse(200, "ok")));
  using client = await connectTcp(urlOf(server), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const answer = await client.answer();
  expect([statusOf(answer), bodyOf(answer)]).toEqual([500, "internal error of the sidecar: broken\n"]);
  expect(await (await fetch(urlOf(server))).text()).toBe("ok");
});

test("stop lets the request that is being answered end", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<HttpResponse>();
  using server = start(() => {
    asked.resolve();
    return answer.promise;
  });
  const fetched = fetch(urlOf(server));
  await asked.promise;
  const stopped = server.stop();
  answer.resolve(textResponse(200, "ok"));
  expect(await (await fetched).text()).toBe("ok");
  expect(await stopped).toBeUndefined();
});
