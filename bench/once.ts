/** One answer, and how long it took from before the connect until it was there, in milliseconds. */
export interface Answer {
  readonly status: number;
  readonly elapsedMs: number;
}

const REQUEST = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/**
 * Asks for /healthz on a connection of its own, with as little in between as there can be, and resolves when the server
 * has closed it.
 *
 * @throws where there is no connection, or one without an answer on it
 */
export function once(port: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const start = performance.now();
  let answer: Answer | undefined;
  Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) => void socket.write(REQUEST),
      data: (_, chunk) => {
        // `HTTP/1.1 200`: a server so close by sends its first line whole.
        answer ??= { status: Number(chunk.toString("latin1", 9, 12)), elapsedMs: performance.now() - start };
      },
      close: () => (answer === undefined ? reject(new Error("closed without an answer")) : resolve(answer)),
      error: (_, error) => reject(error),
      connectError: (_, error) => reject(error),
    },
  }).catch(reject);
  return promise;
}
