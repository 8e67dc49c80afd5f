import { expect, test } from "bun:test";
import { formatResponse, textResponse, type HttpResponse } from "../../src/http/response";

const DATE = /Date: \w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT/;

function format(response: HttpResponse, withBody = true): string {
  return Buffer.from(formatResponse(response, withBody)).toString("latin1").replace(DATE, "Date: DATE");
}

test("a response is the last on its connection, with the length of its body", () => {
  const headers = { "Content-Type": "text/plain", "X-Content-Type-Options": "nosniff" };
  expect(format({ status: 200, headers, body: "ok" })).toBe(
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Content-Type-Options: nosniff\r\n" +
      "Content-Length: 2\r\nDate: DATE\r\nConnection: close\r\n\r\nok",
  );
});

test("the answer to HEAD has the headers of GET and no body", () => {
  expect(format(textResponse(500, "ok"), false)).toEndWith(
    "\r\nContent-Length: 2\r\nDate: DATE\r\nConnection: close\r\n\r\n",
  );
});

test("a body's length counts bytes, and the bytes are kept", () => {
  expect(format(textResponse(200, "é"))).toMatch(/Content-Length: 2\r\n[^]*\r\n\r\n\u00c3\u00a9$/);
});

test.each([
  [200, "OK"],
  [307, "Temporary Redirect"],
  [400, "Bad Request"],
  [404, "Not Found"],
  [431, "Request Header Fields Too Large"],
  [500, "Internal Server Error"],
  [505, "HTTP Version Not Supported"],
])("status %i is named %s", (status, name) => {
  expect(format(textResponse(status, ""))).toStartWith(`HTTP/1.1 ${status} ${name}\r\n`);
});
