import { expect, test } from "bun:test";
import { textResponse } from "../../src/sidecar/routes";
import { startHttpServer, type HttpServer, type HttpServerOptions } from "../../src/http/server";
import { bodyOf, connectTcp, statusOf } from "../support/tcp-client";

const LAST = "Connection: close\r\n\r\n";

function start(handle: HttpServerOptions["handle"], hostname?: string): HttpServer & AsyncDisposable {
  const server = startHttpServer({ hostname, port: 0, handle });
  return { ...server, [Symbol.asyncDispose]: server.stop };
}

function urlOf({ address }: HttpServer): string {
  return `http://${address.replace("[::]", "127.0.0.1")}`;
}

test.each([
  ["every address", undefined, /^\[::\]:\d+$/],
  ["an IPv4 address", "127.0.0.1", /^127\.0\.0\.1:\d+$/],
  ["an IPv6 address in brackets", "::1", /^\[::1\]:\d+$/],
  ["localhost by its IPv4 address", "LocalHost", /^127\.0\.0\.1:\d+$/],
] as const)("it says that it listens on %s", async (_, hostname, address) => {
  await using server = start(() => textResponse(200, "ok"), hostname);
  expect(server.address).toMatch(address);
});

test("a client of the platform takes the answer whole", async () => {
  await using server = start(async () => textResponse(500, "x".repeat(1_000_000)));
  const response = await fetch(urlOf(server));
  expect([response.status, (await response.text()).length]).toEqual([500, 1_000_000]);
});

test("HEAD is answered without the body", async () => {
  await using server = start(() => textResponse(200, "ok"));
  using client = await connectTcp(urlOf(server), "HEAD / HTTP/1.1\r\nHost: x\r\n" + LAST);
  const answer = await client.answer();
  expect([statusOf(answer), bodyOf(answer)]).toEqual([200, ""]);
  expect(answer).toMatch(/\r\ncontent-length: 2\r\n/i);
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
  await using server = start(() => (calls++ === 0 ? fail() : textResponse(200, "ok")));
  using client = await connectTcp(urlOf(server), "GET / HTTP/1.1\r\nHost: x\r\n" + LAST);
  const answer = await client.answer();
  expect([statusOf(answer), bodyOf(answer)]).toEqual([500, "internal error of the sidecar: broken\n"]);
  expect(await (await fetch(urlOf(server))).text()).toBe("ok");
});

test("stop lets the request that is being answered end", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  await using server = start(() => {
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

test.concurrent.each([
  ["before its first request", ""],
  ["in the middle of a request", "GET / HTTP/1.1\r\n"],
  ["after an answer", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
])("a connection that is silent %s is closed", async (_, bytes) => {
  await using server = start(() => textResponse(200, "ok"));
  using client = await connectTcp(urlOf(server), bytes);
  expect(await client.answer()).toBeString();
});

test.concurrent("whoever waits for an answer is not closed, however long it takes", async () => {
  const answer = Promise.withResolvers<Response>();
  await using server = start(({ url }) => (url.endsWith("/slow") ? answer.promise : textResponse(200, "ok")));
  using waiting = await connectTcp(urlOf(server), "GET /slow HTTP/1.1\r\nHost: x\r\n" + LAST);
  using silent = await connectTcp(urlOf(server));
  // Bun closes the silent one after its idle timeout, which the other has been through by then.
  await silent.answer();
  answer.resolve(textResponse(200, "late"));
  expect(bodyOf(await waiting.answer())).toBe("late");
});
