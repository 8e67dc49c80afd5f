import { openDoor } from "./door";

/** A listening HTTP server. */
export interface HttpServer {
  /** `host:port` as bound, with an IPv6 address in brackets. */
  readonly address: string;
  /** Takes no more connections; resolves when those whose request is complete have their answer. */
  stop(): Promise<void>;
  /** Cuts off every connection. */
  terminate(): void;
}

export interface HttpServerOptions {
  /** Undefined is every address, IPv4 and IPv6. */
  readonly hostname: string | undefined;
  readonly port: number;
  readonly maxConnections: number;
  readonly handle: (request: Request) => Response | Promise<Response>;
}

/**
 * Listens at once.
 *
 * @throws an Error with a `code` such as `EADDRINUSE` when it cannot
 */
export function startHttpServer({ hostname, port, maxConnections, handle }: HttpServerOptions): HttpServer {
  // An abstract socket: no file to leave behind, and none needed on a read-only root. The name is random because
  // sidecars on the host's network share its namespace.
  const serverSocket = `\0csi-livenessprobe-${crypto.randomUUID()}`;
  const door = openDoor({ hostname, port, serverSocket, maxConnections });
  const server = Bun.serve({
    unix: serverSocket,
    development: false,
    fetch: (request, self) => {
      // Bun would cut a request off after 10 s without a byte; it lasts as long as its probe, and the door bounds all else.
      self.timeout(request, 0);
      return handle(request);
    },
    error: () => new Response("internal error of the sidecar\n", { status: 500, headers: { connection: "close" } }),
  });
  return {
    address: door.hostname.includes(":") ? `[${door.hostname}]:${door.port}` : `${door.hostname}:${door.port}`,
    stop: () => {
      door.close();
      return door.idle();
    },
    terminate: () => {
      door.terminate();
      void server.stop(true);
    },
  };
}
