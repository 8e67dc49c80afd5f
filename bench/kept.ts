import type { Answer } from "./once";

/** A connection that is kept for many requests, one after another. */
export interface KeptConnection extends Disposable {
  /** Asks for /healthz. Rejects when the connection ends without an answer. */
  ask(): Promise<Answer>;
}

const REQUEST = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** @throws where there is no connection */
export async function keepConnection(port: number): Promise<KeptConnection> {
  let waiting: Waiting | undefined;
  let received = "";
  const settle = (answer: Answer | Error): void => {
    const told = waiting;
    waiting = undefined;
    received = "";
    if (answer instanceof Error) told?.reject(answer);
    else told?.resolve(answer);
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, chunk) => {
        received += chunk.toString("latin1");
        const status = statusOf(received);
        if (waiting !== undefined && status !== undefined)
          settle({ status, elapsedMs: performance.now() - waiting.start });
      },
      close: () => settle(new Error("closed without an answer")),
      error: (_, error) => settle(error),
    },
  });
  return {
    ask: () => {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      waiting = { start: performance.now(), resolve, reject };
      socket.write(REQUEST);
      return promise;
    },
    [Symbol.dispose]: () => socket.end(),
  };
}

interface Waiting {
  readonly start: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** A head and a body of the length that it tells, as every server here does. */
const WHOLE = /^HTTP\/1\.1 (\d{3}) [^]*?\r\ncontent-length: *(\d+)(?=\r\n)[^]*?\r\n\r\n([^]*)$/i;

/** The status of an answer of which all has come; undefined before that. */
function statusOf(received: string): number | undefined {
  const [, status, length, body = ""] = WHOLE.exec(received) ?? [];
  return status !== undefined && body.length >= Number(length) ? Number(status) : undefined;
}
