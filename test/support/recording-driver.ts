import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { join } from "node:path";
import { grpcMessage } from "./http2-frames";
import { PROBE_RESPONSE } from "./probe-messages";
import { temporaryDirectory } from "../../scripts/temporary";

/** One request as it came over the wire. */
export interface RecordedRequest {
  readonly authority: string | undefined;
  /** For example `/csi.v1.Identity/Probe`. */
  readonly path: string | undefined;
  readonly te: string | undefined;
  readonly contentType: string | undefined;
  /** As it was sent, for example `2999m`. */
  readonly grpcTimeout: string | undefined;
  readonly userAgent: string | undefined;
  /** All header fields, for those that have no name here. */
  readonly headers: IncomingHttpHeaders;
  /** With gRPC's five bytes before the message: an empty message is `0000000000`. */
  readonly body: Buffer;
}

export interface RecordedConnection {
  /** How many streams the client opened. */
  readonly streams: number;
  /** Those whose bodies have arrived whole, oldest first. */
  readonly requests: readonly RecordedRequest[];
  readonly closed: boolean;
}

export interface RecordingDriver extends AsyncDisposable {
  readonly socketPath: string;
  readonly name: string;
  /** Every connection so far that got as far as HTTP/2, oldest first. */
  readonly connections: readonly RecordedConnection[];
}

/** Starts, in this process, a driver that is always ready and writes down what it is asked, on node:http2. */
export async function startRecordingDriver(name = "recording.csi.test"): Promise<RecordingDriver> {
  const directory = temporaryDirectory();
  const socketPath = join(directory.path, "csi.sock");
  const connections: RecordedConnection[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    connections.push(record(session, name));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(socketPath, resolve));
  return {
    socketPath,
    name,
    connections,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const session of sessions) session.destroy();
      await closed;
      directory[Symbol.dispose]();
    },
  };
}

function record(session: ServerHttp2Session, name: string): RecordedConnection {
  const requests: RecordedRequest[] = [];
  const connection = { streams: 0, requests, closed: false };
  session.on("error", () => {});
  session.on("close", () => (connection.closed = true));
  session.on("stream", (stream, headers) => {
    connection.streams += 1;
    const chunks: Buffer[] = [];
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      requests.push(requestOf(headers, Buffer.concat(chunks)));
      respond(stream, headers[":path"] === "/csi.v1.Identity/GetPluginInfo" ? pluginInfo(name) : PROBE_RESPONSE.ready);
    });
  });
  return connection;
}

function requestOf(headers: IncomingHttpHeaders, body: Buffer): RecordedRequest {
  const text = (name: string): string | undefined => headers[name]?.toString();
  return {
    authority: text(":authority"),
    path: text(":path"),
    te: text("te"),
    contentType: text("content-type"),
    grpcTimeout: text("grpc-timeout"),
    userAgent: text("user-agent"),
    headers,
    body,
  };
}

function respond(stream: ServerHttp2Stream, message: Buffer): void {
  // A client that was killed meanwhile waits for nothing.
  if (stream.destroyed) return;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(grpcMessage(message));
}

/** `GetPluginInfoResponse` with a name shorter than 128 bytes and the version 1.0.0. */
function pluginInfo(name: string): Buffer {
  return Buffer.concat([Buffer.of(0x0a, Buffer.byteLength(name)), Buffer.from(name), Buffer.from("\u0012\u00051.0.0")]);
}
