/** What is answered to a request, before it is bytes. */
export interface HttpResponse {
  readonly status: number;
  /** By name, spelled as they are to be sent. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** A response in plain text. */
export function textResponse(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers }, body };
}

/**
 * A response as the bytes of HTTP/1.1, to be the last on its connection.
 *
 * @param withBody false for the answer to HEAD: the headers stay those of GET
 */
export function formatResponse({ status, headers, body }: HttpResponse, withBody: boolean): Uint8Array {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${bytes.length}`,
    `Date: ${new Date().toUTCString()}`,
    "Connection: close",
  ];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return withBody ? Buffer.concat([head, bytes]) : head;
}

/** The statuses that are answered with here, and their names in RFC 9110 and RFC 6585. */
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  307: "Temporary Redirect",
  400: "Bad Request",
  404: "Not Found",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  505: "HTTP Version Not Supported",
};
