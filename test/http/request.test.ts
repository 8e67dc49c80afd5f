import { describe, expect, test } from "bun:test";
import { MAX_HEAD_BYTES, readHead } from "../../src/http/request";

describe("a request that can be answered", () => {
  test.each([
    ["a path", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/healthz", ""],
    ["a path as it was sent, percent-encoded", "GET /%68ealthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/%68ealthz", ""],
    ["a query apart from its path", "GET /healthz?x=1?y HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/healthz", "?x=1?y"],
    ["any method", "BREW /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "BREW", "/healthz", ""],
    ["HTTP/1.0 without a Host", "GET / HTTP/1.0\r\n\r\n", "GET", "/", ""],
    ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET", "/", ""],
    ["a URL, as to a proxy", "GET http://a:80/healthz?q HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/healthz", "?q"],
    ["a URL without a path", "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", ""],
    ["a path without its fragment", "GET /healthz#f HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/healthz", ""],
    ["lines that end in a newline alone", "GET /healthz HTTP/1.1\nHost: x\n\n", "GET", "/healthz", ""],
    ["a body and a second request behind it", "POST /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b\r\n\r\n", "POST", "/a", ""],
  ])("%s", (_, text, method, path, query) => {
    expect(readHead(text)).toMatchObject({ kind: "request", request: { method, path, query } });
  });

  test("has headers by lower-case name, trimmed, those of one name joined", () => {
    const head = readHead("GET / HTTP/1.1\r\nHOST: x\r\nAccept-Encoding:\tgzip \r\naccept-encoding: br\r\n\r\n");
    expect(head).toMatchObject({
      kind: "request",
      request: {
        headers: new Map([
          ["host", "x"],
          ["accept-encoding", "gzip, br"],
        ]),
      },
    });
  });
});

describe("a request that has not all arrived", () => {
  const whole = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  test.each(Array.from(whole, (_, index) => [index, whole.slice(0, index)] as const))("%i bytes of it", (_, text) => {
    expect(readHead(text)).toEqual({ kind: "partial" });
  });
});

describe("what can never be answered is refused as soon as that shows", () => {
  const method = "the request must begin with a method";
  const first = "the first line must be a method, a target and HTTP/1.1";
  const target = "the target must be a path";
  const header = "a header must be a name, a colon and a value";
  const version = "the version must be HTTP/1.0 or HTTP/1.1";
  const long = `the request's head must be at most ${MAX_HEAD_BYTES} bytes long`;
  test.each([
    ["a TLS ClientHello", "\u0016\u0003\u0001\u0002", 400, method],
    ["a NUL", "\0", 400, method],
    ["an empty line", "\r\n", 400, method],
    ["garbage with a newline", "hello world\n", 400, first],
    ["a NUL in the path", "GET /\0 HTTP/1.1\r\n", 400, first],
    ["HTTP/0.9", "GET /healthz\r\n", 400, first],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, version],
    ["the target of CONNECT", "CONNECT a:80 HTTP/1.1\r\n", 400, target],
    ["the target of OPTIONS for a whole server", "OPTIONS * HTTP/1.1\r\n", 400, target],
    ["a target that is a query alone", "GET ?x HTTP/1.1\r\n", 400, target],
    ["HTTP/1.1 without a Host", "GET / HTTP/1.1\r\n\r\n", 400, "the request must have a Host header"],
    ["a header without a colon", "GET / HTTP/1.1\r\nHost: x\r\nwrong\r\n\r\n", 400, header],
    ["a space before a colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, header],
    ["a NUL in a header", "GET / HTTP/1.1\r\nHost: \0\r\n\r\n", 400, header],
    ["a folded header", "GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", 400, header],
    ["a first line without an end", "G".repeat(MAX_HEAD_BYTES + 1), 431, long],
    ["headers without an end", `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(3_000)}`, 431, long],
    ["a whole head that is too long", `GET / HTTP/1.1\r\nHost: ${"x".repeat(MAX_HEAD_BYTES)}\r\n\r\n`, 431, long],
  ])("%s", (_, text, status, rule) => {
    expect(readHead(text)).toEqual({ kind: "refused", status, rule } as ReturnType<typeof readHead>);
  });

  test("a head of exactly the greatest length is taken", () => {
    const start = "GET / HTTP/1.1\r\nHost: ";
    const text = `${start}${"x".repeat(MAX_HEAD_BYTES - start.length)}\r\n\r\n`;
    expect(readHead(text).kind).toBe("request");
  });
});
