/**
 * A response as the bytes of HTTP/1.1, to be the last on its connection.
 *
 * @param withBody false for the answer to HEAD: the headers stay those of GET
 */
export async function formatResponse(response: Response, withBody: boolean): Promise<Uint8Array> {
  const body = new Uint8Array(await response.arrayBuffer());
  const headers = [
    ...[...response.headers].map(([name, value]) => `${titleCase(name)}: ${value}`),
    `Content-Length: ${body.length}`,
    `Date: ${new Date().toUTCString()}`,
    "Connection: close",
  ];
  const head = `HTTP/1.1 ${response.status} ${REASONS.get(response.status) ?? ""}\r\n${headers.join("\r\n")}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), withBody ? body : new Uint8Array(0)]);
}

/** The statuses that are answered with here, and their names in RFC 9110 and RFC 6585. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [200, "OK"],
  [307, "Temporary Redirect"],
  [400, "Bad Request"],
  [404, "Not Found"],
  [431, "Request Header Fields Too Large"],
  [500, "Internal Server Error"],
  [505, "HTTP Version Not Supported"],
]);

// `Headers` gives its names in lower case; people who look at them know them as the Go sidecar writes them.
function titleCase(name: string): string {
  return name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}
