import { errorCode, errorText } from "../base/errors";

/** A listening HTTP server. */
export interface HttpServer {
  /** `host:port` as bound, with an IPv6 address in brackets. */
  readonly address: string;
  /** Takes no more connections and closes idle ones; resolves when each request that came before has its answer. */
  stop(): Promise<void>;
}

export interface HttpServerOptions {
  /** Undefined is every address, IPv4 and IPv6; IPv4 alone where the kernel has no IPv6. */
  readonly hostname: string | undefined;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Runs to its end even when the client goes away. What it throws is answered as an internal error. */
  readonly handle: (request: Request) => Response | Promise<Response>;
}

/** How long a connection may be silent, in seconds. Bun counts in steps of 4 s, so it may be up to 12 s. */
const IDLE_TIMEOUT_SECONDS = 8;

/** A request has no use for a body; one that says it is larger is refused with 413 before it is read. */
const MAX_BODY_BYTES = 65_536;

/**
 * Listens at once. Keeps connections alive, and closes those that are silent; one whose request is being answered is never
 * closed, however long the driver takes.
 *
 * @throws an Error with a `code` such as `EADDRINUSE` when it cannot listen
 */
export function startHttpServer(options: HttpServerOptions): HttpServer {
  const server = listen(options);
  const { hostname, port } = server;
  return {
    address: hostname?.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`,
    stop: () => server.stop(),
  };
}

type Server = Bun.Server<undefined>;

function listen({ hostname, port, handle }: HttpServerOptions): Server {
  const { address, otherwise } = addressesFor(hostname);
  const listenOn = (host: string): Server =>
    Bun.serve({
      hostname: host,
      port,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      maxRequestBodySize: MAX_BODY_BYTES,
      development: false,
      // Without development Bun 1.4.5 sets SO_REUSEPORT, whatever its documentation says: two sidecars of one uid would share a
      // port, and the kernel would hand each the other's callers.
      reusePort: false,
      fetch: async (request, server) => {
        // The idle timeout would cut off whoever waits for a driver that takes longer.
        server.timeout(request, 0);
        try {
          return await handle(request);
        } finally {
          // The timeout belongs to the connection: without this, Bun never closes one that is kept alive.
          server.timeout(request, IDLE_TIMEOUT_SECONDS);
        }
      },
      error: (error) => new Response(`internal error of the sidecar: ${errorText(error)}\n`, { status: 500 }),
    });
  try {
    return listenOn(address);
  } catch (error) {
    const code = errorCode(error);
    if (otherwise === undefined || code === "EADDRINUSE" || code === "EACCES") throw error;
    return listenOn(otherwise);
  }
}

/** What to listen on, and what instead on a kernel that has only the other family. */
function addressesFor(hostname: string | undefined): { readonly address: string; readonly otherwise?: string } {
  if (hostname === undefined) return { address: "::", otherwise: "0.0.0.0" };
  // Go prefers IPv4 here. Bun would take the first that /etc/hosts has, and leave 127.0.0.1 without a listener for ::1.
  if (hostname.toLowerCase() === "localhost") return { address: "127.0.0.1", otherwise: "::1" };
  return { address: hostname };
}
