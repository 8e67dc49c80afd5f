import { errorText } from "../errors";
import { openDoor } from "./door";
import type { CompleteHead, HttpRequest } from "./request";
import { formatResponse, textResponse, type HttpResponse } from "./response";

/** A listening HTTP server. */
export interface HttpServer {
  /** `host:port` as bound, with an IPv6 address in brackets. */
  readonly address: string;
  /** Takes no more connections; resolves when those whose request is complete have their answer. */
  stop(): Promise<void>;
  /** Takes no more connections and cuts off those there are. */
  terminate(): void;
}

export interface HttpServerOptions {
  /** Undefined is every address, IPv4 and IPv6. */
  readonly hostname: string | undefined;
  readonly port: number;
  readonly maxConnections: number;
  readonly handle: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;
}

/**
 * Listens at once, and answers one request a connection.
 *
 * @throws an Error with a `code` such as `EADDRINUSE` when it cannot
 */
export function startHttpServer({ handle, ...place }: HttpServerOptions): HttpServer {
  const door = openDoor({ ...place, answer: (head) => answer(head, handle) });
  return {
    address: door.hostname.includes(":") ? `[${door.hostname}]:${door.port}` : `${door.hostname}:${door.port}`,
    stop: () => {
      door.close();
      return door.idle();
    },
    terminate: door.terminate,
  };
}

async function answer(head: CompleteHead, handle: HttpServerOptions["handle"]): Promise<Uint8Array> {
  switch (head.kind) {
    case "refused":
      return formatResponse(textResponse(head.status, `${head.rule}\n`), true);
    case "request":
      try {
        return formatResponse(await handle(head.request), head.request.method !== "HEAD");
      } catch (error) {
        return formatResponse(textResponse(500, `internal error of the sidecar: ${errorText(error)}\n`), true);
      }
  }
  return head satisfies never;
}
