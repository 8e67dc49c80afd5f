import { expect, test } from "bun:test";
import { formatResponse } from "../../src/http/response";

const DATE = /Date: \w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT/;

async function format(response: Response, withBody = true): Promise<string> {
  return Buffer.from(await formatResponse(response, withBody))
    .toString("latin1")
    .replace(DATE, "Date: DATE");
}

test("a response is the last on its connection, with the length of its body", async () => {
  const response = new Response("ok", {
    headers: { "content-type": "text/plain", "x-content-type-options": "nosniff" },
  });
  expect(await format(response)).toBe(
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Content-Type-Options: nosniff\r\n" +
      "Content-Length: 2\r\nDate: DATE\r\nConnection: close\r\n\r\nok",
  );
});

test("the answer to HEAD has the headers of GET and no body", async () => {
  expect(await format(new Response("ok", { status: 500 }), false)).toEndWith(
    "\r\nContent-Length: 2\r\nDate: DATE\r\nConnection: close\r\n\r\n",
  );
});

test("a body's length counts bytes, and the bytes are kept", async () => {
  expect(await format(new Response("é"))).toMatch(/Content-Length: 2\r\n[^]*\r\n\r\n\u00c3\u00a9$/);
});

test.each([
  [200, "OK"],
  [307, "Temporary Redirect"],
  [400, "Bad Request"],
  [404, "Not Found"],
  [431, "Request Header Fields Too Large"],
  [500, "Internal Server Error"],
  [505, "HTTP Version Not Supported"],
])("status %i is named %s", async (status, name) => {
  expect(await format(new Response("", { status }))).toStartWith(`HTTP/1.1 ${status} ${name}\r\n`);
});
