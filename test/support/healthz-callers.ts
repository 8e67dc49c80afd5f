import { connect } from "node:net";

/** One answer of /healthz, as a caller saw it. */
export interface CallerResult {
  readonly status: number;
  readonly body: string;
  /** From the request's last byte to the end of the answer. */
  readonly elapsedMs: number;
}

/** Asks for /healthz over a connection of its own. `fetch` would hold back all beyond 256 at a time. */
export function callHealthz(url: string): Promise<CallerResult> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<CallerResult>();
  const socket = connect({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  let askedAt = performance.now();
  socket.once("connect", () => {
    socket.write(`GET /healthz HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
    askedAt = performance.now();
  });
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.once("error", reject);
  socket.once("end", () => {
    const [head = "", body = ""] = Buffer.concat(chunks).toString("utf8").split("\r\n\r\n");
    resolve({ status: Number(head.split(" ")[1]), body, elapsedMs: performance.now() - askedAt });
  });
  return promise;
}
