import { connect, createServer, type Socket } from "node:net";
import { waitUntil } from "./wait";

/** A TCP client that sends what it likes, byte for byte. */
export interface TcpClient extends Disposable {
  readonly socket: Socket;
  /** All that has come so far, each byte a character. */
  received(): string;
  /** Whether the other side has closed its sending side, or the connection is gone. */
  ended(): boolean;
  /** Waits for the other side to end; what had come by then. */
  answer(): Promise<string>;
}

/** Connects to a URL's host and port and sends `bytes`. The sending side stays open until the client is disposed of. */
export async function connectTcp(url: string, bytes: string | Uint8Array = ""): Promise<TcpClient> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  let received = "";
  let ended = false;
  let failure: Error | undefined;
  socket.on("data", (chunk) => (received += chunk.toString("latin1")));
  socket.on("end", () => (ended = true));
  socket.on("close", () => (ended = true));
  socket.on("error", (error) => (failure = error));
  let connected = false;
  socket.on("connect", () => (connected = true));
  try {
    await waitUntil(() => connected || failure, `a connection to ${url}`);
    if (!connected && failure !== undefined) throw failure;
  } catch (error) {
    socket.destroy();
    throw error;
  }
  // It may have been cut off already; the callback takes the error of a write that the end of the test overtakes.
  if (bytes.length > 0 && socket.writable) socket.write(bytes, () => {});
  return {
    socket,
    received: () => received,
    ended: () => ended,
    answer: async () => {
      await waitUntil(
        () => ended,
        () => `the end of an answer, after ${JSON.stringify(received)}`,
      );
      return received;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** As many clients at a time as `count`, each sending `bytes`; one that cannot connect is left out. */
export async function connectMany(url: string, count: number, bytes: string | Uint8Array = ""): Promise<TcpClients> {
  const settled = await Promise.allSettled(Array.from({ length: count }, () => connectTcp(url, bytes)));
  const clients = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  return {
    clients,
    [Symbol.dispose]: () => {
      for (const client of clients) client[Symbol.dispose]();
    },
  };
}

export interface TcpClients extends Disposable {
  readonly clients: readonly TcpClient[];
}

/** The status of an HTTP answer as it came over the wire. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
}

export function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

/** A port that nobody listens on at this moment, for a program that cannot say which one it took. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  if (typeof address !== "object" || address === null) throw new Error("a TCP server has no port");
  return address.port;
}
