import { errorCode, errorText } from "../base/errors";
import type { Address } from "./listen-address";

/** A listening HTTP server. */
export interface HttpServer {
  /** `host:port` as bound, with an IPv6 address in brackets. */
  readonly address: string;
  /** Accepts no more connections and closes idle ones; resolves when all earlier requests are answered. */
  stop(): Promise<void>;
}

export interface HttpServerOptions extends Address {
  /** Runs to its end even if the client goes away. If it throws, the answer is an internal error. */
  readonly handle: (request: Request) => Response | Promise<Response>;
}

/** How long a connection may be silent, in seconds. Bun counts in steps of 4 s, so up to 12 s. */
const IDLE_TIMEOUT_SECONDS = 8;

/** No request needs a body; a larger one is refused with 413 before it is read. */
const MAX_BODY_BYTES = 65_536;

/**
 * Listens at once. Keeps connections alive and closes silent ones, but never while a request is being answered.
 *
 * @throws an Error with a `code` such as `EADDRINUSE` when it cannot listen
 */
export function startHttpServer({ hostname, port, handle }: HttpServerOptions): HttpServer {
  const server = listen(hostname, (host) =>
    Bun.serve({
      hostname: host,
      port,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      maxRequestBodySize: MAX_BODY_BYTES,
      development: false,
      // With `development: false` Bun 1.4.5 sets SO_REUSEPORT, contrary to its documentation: two sidecars of one uid
      // would share a port, and each would get the other's requests.
      reusePort: false,
      fetch: async (request, bun) => {
        // The idle timeout would close a connection that waits for a slow driver.
        bun.timeout(request, 0);
        try {
          return await handle(request);
        } finally {
          // The timeout belongs to the connection: without this, Bun never closes a kept-alive one.
          bun.timeout(request, IDLE_TIMEOUT_SECONDS);
        }
      },
      error: (error) => new Response(`internal error of the sidecar: ${errorText(error)}\n`, { status: 500 }),
    }),
  );
  const host = server.hostname?.includes(":") ? `[${server.hostname}]` : server.hostname;
  return { address: `${host}:${server.port}`, stop: () => server.stop() };
}

/** Tries a second address on a kernel that has only its family. */
function listen<Server>(hostname: string | undefined, listenOn: (host: string) => Server): Server {
  const [address, otherwise] = addressesFor(hostname);
  try {
    return listenOn(address);
  } catch (error) {
    const code = errorCode(error);
    if (otherwise === undefined || code === "EADDRINUSE" || code === "EACCES") throw error;
    return listenOn(otherwise);
  }
}

function addressesFor(hostname: string | undefined): readonly [string, string?] {
  if (hostname === undefined) return ["::", "0.0.0.0"];
  // As Go does. Bun takes the first address in /etc/hosts, which may be ::1 and leave 127.0.0.1 without a listener.
  return hostname.toLowerCase() === "localhost" ? ["127.0.0.1", "::1"] : [hostname];
}
