import { closeSync, constants, openSync } from "node:fs";
import { connect as http2Connect, type ClientHttp2Session } from "node:http2";
import { connect as socketConnect, type Socket } from "node:net";
import type { Deadline } from "../deadline";
import { errorCode } from "../errors";

/** An HTTP/2 connection to a driver that has sent its SETTINGS. */
export interface Connection {
  readonly session: ClientHttp2Session;
  /** Calls `lost` once, when the driver closes the connection or says with GOAWAY that it takes no call on it. */
  onLost(lost: () => void): void;
  /** Frees the socket and all that hangs on it, in whatever state. Safe to call more than once. */
  close(): void;
}

/** Why there is no connection. */
export type ConnectFailure =
  /** connect(2) failed; `code` is its error's name, such as `ENOENT`. Bun says `ECONNREFUSED` for most of them. */
  | { readonly kind: "refused"; readonly code: string }
  /** The driver closed the connection before it had sent SETTINGS. */
  | { readonly kind: "closed" }
  /** The driver sent something else than an HTTP/2 SETTINGS frame. */
  | { readonly kind: "notHttp2" }
  /** Connected, and no SETTINGS came before the deadline. */
  | { readonly kind: "silent" };

export type ConnectOutcome = { readonly kind: "connected"; readonly connection: Connection } | ConnectFailure;

/**
 * Connects to a unix socket and waits for the HTTP/2 SETTINGS of the driver behind it: one attempt, until the deadline.
 *
 * The socket is ours and not grpc-js's, because grpc-js never closes one that is still connecting, connects again after
 * its channel was closed, and tells the error of a failed connect only in its text.
 *
 * @param onConnect called when connect(2) has succeeded, before anything is known of HTTP/2
 */
export function openConnection(
  path: string,
  deadline: Deadline,
  onConnect: () => void = ignore,
): Promise<ConnectOutcome> {
  const { promise, resolve } = Promise.withResolvers<ConnectOutcome>();
  const socket = socketConnect({ path });
  const connection = ownConnection(socket);
  const forget = deadline.onExpiry(() => fail({ kind: "silent" }));

  function fail(failure: ConnectFailure): void {
    forget();
    connection.close();
    resolve(failure);
  }

  socket.once("error", (error) =>
    fail(isLoss(error) ? { kind: "closed" } : { kind: "refused", code: refusalCode(error) }),
  );
  socket.once("connect", () => {
    onConnect();
    socket.removeAllListeners("error");
    socket.on("error", ignore);
    connection.onLost(() => fail({ kind: "closed" }));
    connection.session.once("error", (error) => fail({ kind: isLoss(error) ? "closed" : "notHttp2" }));
    connection.session.once("remoteSettings", () => {
      forget();
      resolve({ kind: "connected", connection });
    });
  });
  return promise;
}

function ownConnection(socket: Socket): Connection {
  let session: ClientHttp2Session | undefined;
  let onLost = ignore;
  let closed = false;
  const lose = () => {
    const tell = onLost;
    onLost = ignore;
    if (!closed) tell();
  };
  return {
    get session() {
      session ??= startSession(socket, lose);
      return session;
    },
    onLost: (lost) => {
      onLost = lost;
    },
    close: () => {
      closed = true;
      session?.destroy();
      socket.destroy();
    },
  };
}

function startSession(socket: Socket, lose: () => void): ClientHttp2Session {
  const session = http2Connect("http://localhost", {
    createConnection: () => socket,
    settings: { enablePush: false },
  });
  // A listener has to stay: an error after the first would end the process.
  session.on("error", ignore);
  session.once("goaway", lose);
  session.once("close", lose);
  socket.once("close", lose);
  return session;
}

// A driver that drops a connection with our preface unread resets it, at times before we know that we were connected.
function isLoss(error: Error): boolean {
  const code = errorCode(error);
  return code === "ECONNRESET" || code === "EPIPE";
}

// Under Bun a process without a free file descriptor is told ECONNREFUSED. That is our fault, and must not be called the driver's.
function refusalCode(error: Error): string {
  try {
    closeSync(openSync("/", constants.O_RDONLY));
  } catch (shortage) {
    return errorCode(shortage) ?? "EMFILE";
  }
  return errorCode(error) ?? "ECONNREFUSED";
}

function ignore(): void {}
