import { createConnection } from "node:net";

/** An HTTP answer as it came over the wire, on a connection that was closed behind it. */
export interface RawAnswer {
  /** For example `HTTP/1.1 200 OK`; empty where the connection was closed without an answer. */
  readonly statusLine: string;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Sends a request to the letter, for what `fetch` would tidy up or refuse to send.
 *
 * @param requestLine for example `GET //healthz HTTP/1.1`
 * @param headers whole header lines; one that asks to close the connection is added
 * @returns what came until the connection was closed
 */
export function sendRaw(
  url: string,
  requestLine: string,
  headers: readonly string[] = ["Host: localhost"],
  body = "",
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const chunks: Buffer[] = [];
  const socket = createConnection(Number(port), hostname);
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", reject);
  socket.on("close", () => resolve(parseAnswer(Buffer.concat(chunks).toString())));
  socket.write(`${[requestLine, ...headers, "Connection: close"].join("\r\n")}\r\n\r\n${body}`);
  return promise;
}

/** Sends a request and hangs up when `until` resolves, without having read an answer. */
export async function askAndHangUp(url: string, path: string, until: () => Promise<unknown>): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = createConnection(Number(port), hostname);
  const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  socket.on("error", () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  try {
    await until();
  } finally {
    socket.destroy();
    await closed;
  }
}

function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, Math.max(0, end)).split("\r\n");
  const headers = new Headers(lines.map((line): [string, string] => splitAt(line, ": ")));
  return { statusLine, headers, body: end === -1 ? text : text.slice(end + 4) };
}

function splitAt(line: string, separator: string): [string, string] {
  const at = line.indexOf(separator);
  return [line.slice(0, at), line.slice(at + separator.length)];
}
