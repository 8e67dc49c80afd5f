import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type RunningDriver, startDriver } from "../support/drivers";
import { sendRaw } from "../support/raw-http";
import { type Sidecar, startSidecar } from "../support/sidecar";
import { connectTcp } from "../support/tcp-client";
import { waitUntil } from "../support/wait";

let driver: RunningDriver;
let sidecar: Sidecar;

beforeAll(async () => {
  driver = await startDriver("grpc-js");
  sidecar = await startSidecar(["--http-endpoint=127.0.0.1:0", "--csi-address", driver.socketPath]);
});
afterAll(async () => {
  await sidecar[Symbol.asyncDispose]();
  await driver[Symbol.asyncDispose]();
});

const OK = { statusLine: "HTTP/1.1 200 OK", type: "text/plain; charset=utf-8", length: "2", body: "ok" };

describe.concurrent("a ready driver is 200 and ok", () => {
  test.each([
    ["GET", "GET /healthz HTTP/1.1"],
    ["with a query", "GET /healthz?x=1 HTTP/1.1"],
    ["with an escaped letter", "GET /%68ealthz HTTP/1.1"],
    ["by an absolute URL, as to a proxy", "GET http://example.com/healthz HTTP/1.1"],
    ["POST", "POST /healthz HTTP/1.1"],
    ["PUT", "PUT /healthz HTTP/1.1"],
    ["PATCH", "PATCH /healthz HTTP/1.1"],
    ["DELETE", "DELETE /healthz HTTP/1.1"],
    ["OPTIONS", "OPTIONS /healthz HTTP/1.1"],
    ["TRACE", "TRACE /healthz HTTP/1.1"],
    ["PROPFIND, as WebDAV asks", "PROPFIND /healthz HTTP/1.1"],
    ["HTTP/1.0, which unlike the Go sidecar is answered as 1.1", "GET /healthz HTTP/1.0"],
  ])("%s", async (_, requestLine) => {
    const { statusLine, headers, body } = await sendRaw(sidecar.url, requestLine);
    expect({ statusLine, type: headers.get("content-type"), length: headers.get("content-length"), body }).toEqual(OK);
  });

  test("HTTP/1.0 without a Host", async () => {
    const { statusLine, body } = await sendRaw(sidecar.url, "GET /healthz HTTP/1.0", []);
    expect({ statusLine, body }).toEqual({ statusLine: "HTTP/1.1 200 OK", body: "ok" });
  });

  test("with a body that nobody reads", async () => {
    const headers = ["Host: localhost", "Content-Length: 5"];
    const { statusLine, body } = await sendRaw(sidecar.url, "POST /healthz HTTP/1.1", headers, "hello");
    expect({ statusLine, body }).toEqual({ statusLine: "HTTP/1.1 200 OK", body: "ok" });
  });

  test("HEAD is answered without the body", async () => {
    const { statusLine, headers, body } = await sendRaw(sidecar.url, "HEAD /healthz HTTP/1.1");
    const type = headers.get("content-type");
    expect({ statusLine, type, length: headers.get("content-length"), body }).toEqual({ ...OK, body: "" });
  });
});

describe.concurrent("doubled slashes are redirected away", () => {
  test.each([
    ["before the path", "GET //healthz HTTP/1.1", "/healthz"],
    ["more than two slashes", "GET ////healthz HTTP/1.1", "/healthz"],
    ["within a path", "GET /a//b HTTP/1.1", "/a/b"],
    ["the query stays", "GET //healthz?x=1&y=%20 HTTP/1.1", "/healthz?x=1&y=%20"],
    ["in a POST", "POST //healthz HTTP/1.1", "/healthz"],
    ["with a newline that must not become a header", "GET //a/%0d%0aSet-Cookie:x HTTP/1.1", "/a/%0D%0ASet-Cookie:x"],
  ])("%s", async (_, requestLine, location) => {
    const { statusLine, headers } = await sendRaw(sidecar.url, requestLine);
    expect({
      statusLine,
      location: headers.get("location"),
      cookie: headers.get("set-cookie"),
    }).toEqual({ statusLine: "HTTP/1.1 307 Temporary Redirect", location, cookie: null });
  });
});

describe.concurrent("dot segments are resolved without a redirect, unlike the Go sidecar's", () => {
  test.each([
    ["a dot segment", "GET /./healthz HTTP/1.1"],
    ["a segment up", "GET /a/../healthz HTTP/1.1"],
    ["an escaped dot segment", "GET /%2e%2e/healthz HTTP/1.1"],
  ])("%s", async (_, requestLine) => {
    const { statusLine, body } = await sendRaw(sidecar.url, requestLine);
    expect({ statusLine, body }).toEqual({ statusLine: "HTTP/1.1 200 OK", body: "ok" });
  });
});

describe.concurrent("anything else is 404", () => {
  test.each([
    ["the root", "GET / HTTP/1.1"],
    ["a slash behind", "GET /healthz/ HTTP/1.1"],
    ["capitals", "GET /HEALTHZ HTTP/1.1"],
    ["an escaped slash", "GET /healthz%2f HTTP/1.1"],
    ["POST", "POST /x HTTP/1.1"],
    ["HTTP/1.0", "GET /x HTTP/1.0"],
    ["a query that names the path", "GET /?/healthz HTTP/1.1"],
  ])("%s", async (_, requestLine) => {
    const { statusLine, headers, body } = await sendRaw(sidecar.url, requestLine);
    const type = headers.get("content-type");
    expect({ statusLine, type, options: headers.get("x-content-type-options"), body }).toEqual({
      statusLine: "HTTP/1.1 404 Not Found",
      type: "text/plain; charset=utf-8",
      options: "nosniff",
      body: "404 page not found\n",
    });
  });
});

describe.concurrent("what is not HTTP/1 is refused", () => {
  test.each([
    ["a broken escape", "GET /%zz HTTP/1.1", "HTTP/1.1 400 Bad Request"],
    ["no request", "hello", "HTTP/1.1 400 Bad Request"],
    ["HTTP/2 without TLS", "PRI * HTTP/2.0", "HTTP/1.1 400 Bad Request"],
    ["a version that does not exist", "GET /healthz HTTP/2.0", "HTTP/1.1 505 HTTP Version Not Supported"],
    ["a method that nobody has defined, without an answer", "BREW /healthz HTTP/1.1", ""],
  ])("%s", async (_, requestLine, statusLine) => {
    expect((await sendRaw(sidecar.url, requestLine)).statusLine).toBe(statusLine);
  });

  test("HTTP/1.1 without a Host", async () => {
    expect((await sendRaw(sidecar.url, "GET /healthz HTTP/1.1", [])).statusLine).toBe("HTTP/1.1 400 Bad Request");
  });
});

describe.concurrent("a connection is kept alive, as the Go sidecar's", () => {
  test.each(["/healthz", "/metrics", "/x", "//healthz"])("after %s", async (path) => {
    const last = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    using client = await connectTcp(sidecar.url, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await waitUntil(() => client.received().includes("\r\n\r\n"), "the first answer");
    client.socket.write(last);
    expect(await client.answer()).toEndWith("\r\n\r\nok");
  });
});
