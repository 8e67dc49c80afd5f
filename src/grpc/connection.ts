import { closeSync, constants, openSync } from "node:fs";
import { connect as http2Connect, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { connect as socketConnect, type Socket } from "node:net";
import type { Deadline } from "../base/deadline";
import { errorCode, errorText } from "../base/errors";
import { isShortage } from "../base/shortage";

/** An HTTP/2 connection to a driver that has sent its SETTINGS. A class, because each probe makes one. */
export class Connection {
  readonly session: ClientHttp2Session;
  readonly #socket: Socket;
  #refusal: Unreadable | undefined;
  #onLost: (() => void) | undefined;
  #stream: ClientHttp2Stream | undefined;

  /** @param socket connected */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.session = http2Connect(AUTHORITY, { createConnection: () => socket, ...SESSION_OPTIONS });
    const lose = () => this.#lose();
    // A listener has to stay: an error after the first would end the process.
    this.session.on("error", (error) => {
      this.#refusal ??= refusalOf(error);
    });
    this.session.on("close", lose);
    socket.on("close", lose);
    this.session.on("goaway", (_, lastStreamId) => {
      // RFC 9113, section 6.8: a GOAWAY leaves alone the streams up to the last that it names.
      if (this.#stream !== undefined && (this.#stream.id ?? Infinity) > lastStreamId) this.#lose();
    });
  }

  /**
   * Calls `lost` once, when the connection ends and we have not closed it, or when the driver says that it will not
   * process `stream`. One waits at a time: the one before is forgotten.
   */
  onLost(lost: () => void, stream?: ClientHttp2Stream): void {
    this.#onLost = lost;
    this.#stream = stream;
  }

  /** Why our HTTP/2 library ended the connection, if it did. */
  refusal(): Unreadable | undefined {
    return this.#refusal;
  }

  /** Frees the socket and all that hangs on it, in whatever state. Safe to call more than once. */
  close(): void {
    this.#onLost = undefined;
    // The session ends with its socket. Destroying it first would send a GOAWAY, and costs 5 % of a probe.
    this.#socket.destroy();
  }

  #lose(): void {
    const lost = this.#onLost;
    this.#onLost = undefined;
    lost?.();
  }
}

/** Our HTTP/2 library rejects what the driver sent. */
export interface Unreadable {
  readonly kind: "unreadable";
  /**
   * `limit`: a limit of the library's. `rule`: a rule of HTTP/2, or one of the limits that the library reports as such.
   */
  readonly cause: "rule" | "limit";
  /** In the library's words. */
  readonly details: string;
}

/** Why there is no connection. */
export type ConnectFailure =
  /**
   * This process or its machine has no descriptor or no memory for a socket; `code` is the error's name, such as
   * `EMFILE`.
   */
  | { readonly kind: "shortage"; readonly code: string }
  /** connect(2) failed; `code` is its error's name, such as `ENOENT`. Bun says `ECONNREFUSED` for most of them. */
  | { readonly kind: "refused"; readonly code: string }
  /** The driver closed the connection before it had sent SETTINGS. */
  | { readonly kind: "closed" }
  /** The driver sent something else than an HTTP/2 SETTINGS frame. */
  | { readonly kind: "notHttp2" }
  /** Connected, and no SETTINGS came before the deadline. */
  | { readonly kind: "silent" };

export type ConnectOutcome = { readonly kind: "connected"; readonly connection: Connection } | ConnectFailure;

/** The failure that the code of an error, such as `ENOENT`, stands for. */
export function connectFailureOf(code: string): ConnectFailure {
  return { kind: isShortage(code) ? "shortage" : "refused", code };
}

/**
 * Connects to a unix socket and waits for the HTTP/2 SETTINGS of the driver behind it: one attempt, until the deadline.
 *
 * The socket is ours and not grpc-js's, because grpc-js never closes one that is still connecting, connects again after
 * its channel was closed, and tells the error of a failed connect only in its text.
 *
 * @param onConnect called when connect(2) has succeeded, before anything is known of HTTP/2
 */
export function openConnection(path: string, deadline: Deadline, onConnect?: () => void): Promise<ConnectOutcome> {
  const { promise, resolve } = Promise.withResolvers<ConnectOutcome>();
  const socket = socketConnect({ path });
  let connection: Connection | undefined;
  let settled = false;

  function fail(failure: ConnectFailure): void {
    if (settled) return;
    settled = true;
    socket.destroy();
    resolve(failure);
  }

  deadline.onExpiry(() => fail({ kind: "silent" }));
  // It stays: an error without a listener would end the process.
  socket.on("error", (error) => {
    // Of a connection, the session tells.
    if (connection === undefined) fail(failureOf(error));
  });
  socket.once("connect", () => {
    onConnect?.();
    const connected = new Connection(socket);
    connection = connected;
    connected.onLost(() => fail({ kind: "closed" }));
    connected.session.once("error", (error) => fail({ kind: isLoss(error) ? "closed" : "notHttp2" }));
    connected.session.once("remoteSettings", () => {
      if (settled) return;
      settled = true;
      resolve({ kind: "connected", connection: connected });
    });
  });
  return promise;
}

/** Twice the largest header that the library reads. grpc-go takes 16 MiB, but a driver must not fill our memory. */
const MAX_HEADER_LIST_BYTES = 131_072;

/** grpc-go takes what node:http2 would refuse by default, so each limit that has an option is raised. */
const SESSION_OPTIONS = {
  // RFC 9113, section 6.5.2, counts 32 bytes for each field, so that the size alone is the limit.
  maxHeaderListPairs: MAX_HEADER_LIST_BYTES / 32,
  // Empty DATA frames count as invalid ones.
  maxSessionInvalidFrames: 100_000,
  strictFieldWhitespaceValidation: false,
  // With push on, each promise costs memory for as long as the connection lasts, even if it is cancelled at once.
  settings: { maxHeaderListSize: MAX_HEADER_LIST_BYTES, enablePush: false },
};

// What a unix socket's server is called, as in grpc-go. Parsed once.
const AUTHORITY = new URL("http://localhost");

const NGHTTP2_ERR_FLOODED = -904;

function refusalOf(error: Error): Unreadable | undefined {
  const details = errorText(error);
  switch (errorCode(error)) {
    case "ERR_HTTP2_TOO_MANY_INVALID_FRAMES":
      return { kind: "unreadable", cause: "limit", details };
    case "ERR_HTTP2_ERROR": {
      const flooded = "errno" in error && error.errno === NGHTTP2_ERR_FLOODED;
      return { kind: "unreadable", cause: flooded ? "limit" : "rule", details };
    }
    default:
      return undefined;
  }
}

function failureOf(error: Error): ConnectFailure {
  if (isLoss(error)) return { kind: "closed" };
  return connectFailureOf(hiddenShortage() ?? errorCode(error) ?? "ECONNREFUSED");
}

// A driver that drops a connection with our preface unread resets it, at times before we know that we were connected.
function isLoss(error: Error): boolean {
  const code = errorCode(error);
  return code === "ECONNRESET" || code === "EPIPE";
}

// Bun says ECONNREFUSED where there is no free file descriptor for the socket.
function hiddenShortage(): string | undefined {
  try {
    closeSync(openSync("/", constants.O_RDONLY));
    return undefined;
  } catch (error) {
    return errorCode(error) ?? "EMFILE";
  }
}
