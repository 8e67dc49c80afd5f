import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { createServer as createSocketServer } from "node:net";
import { join } from "node:path";
import { forbidOthers, type NodeGetInfoPolicy } from "./csi-methods";
import { grpcMessage } from "./http2-frames";
import { PROBE_RESPONSE } from "./probe-messages";
import { temporaryDirectory } from "../../scripts/temporary";

/** How one RPC is answered. */
export type ScriptedAnswer =
  | { readonly kind: "message"; readonly bytes: Buffer }
  | { readonly kind: "status"; readonly code: number; readonly details?: string }
  /** Never. */
  | { readonly kind: "hang" }
  | { readonly kind: "slow"; readonly ms: number; readonly bytes: Buffer }
  /**
   * With an empty message, and then the connection's end: closed, or GOAWAY, which leaves the closing to the client.
   */
  | { readonly kind: "thenCloses" | "thenSendsGoaway" }
  /** With an empty message, once the client has read a GOAWAY that lets this call end and no other begin. */
  | { readonly kind: "afterGoaway" };

export interface AllowListOptions {
  /** By gRPC path. Probe is ready and the others have empty messages where they are absent here. */
  readonly answers?: Readonly<Record<string, ScriptedAnswer>>;
  /** `forbidden` where absent. */
  readonly nodeGetInfo?: NodeGetInfoPolicy;
  /** How long a connection waits for its HTTP/2 SETTINGS. */
  readonly settingsDelayMs?: number;
  /** Where to listen; in a fresh directory of its own where absent. */
  readonly socketPath?: string;
}

export interface AskedCall {
  /** The gRPC path. */
  readonly method: string;
  /** As it was sent, for example `2999m`. */
  readonly grpcTimeout: string | undefined;
}

export interface AllowListDriver extends AsyncDisposable {
  readonly socketPath: string;
  /** Every call so far to any method, oldest first. */
  readonly calls: readonly AskedCall[];
  /** Read anew each time. */
  readonly counts: {
    /** Connections that got as far as HTTP/2, and how many of them are open. */
    readonly connections: number;
    readonly open: number;
    /** How many calls there were at the same time, at most. */
    readonly mostCallsAtOnce: number;
  };
}

/**
 * Starts, in this process, a driver on node:http2 that notes every call, to whatever method. To dispose of it fails
 * where it was asked something else than csi-methods.ts allows.
 */
export async function startAllowListDriver(options: AllowListOptions = {}): Promise<AllowListDriver> {
  const directory = temporaryDirectory();
  const { answers = {}, nodeGetInfo = "forbidden", socketPath = join(directory.path, "csi.sock") } = options;
  const { settingsDelayMs = 0 } = options;
  const calls: AskedCall[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const counts = { connections: 0, open: 0, mostCallsAtOnce: 0 };
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    counts.connections += 1;
    counts.open = sessions.size;
    session.on("error", () => {});
    session.on("close", () => {
      sessions.delete(session);
      counts.open = sessions.size;
    });
    countCalls(session, counts);
    session.on("stream", (stream, headers) => {
      const method = headers[":path"] ?? "";
      calls.push({ method, grpcTimeout: headers["grpc-timeout"]?.toString() });
      stream.on("error", () => {});
      stream.resume().on("end", () => answer(session, stream, answers[method] ?? unscripted(method)));
    });
  });
  // The HTTP/2 server is handed each connection when its time has come; it writes its SETTINGS at once.
  const door = createSocketServer({ pauseOnConnect: true }, (socket) => {
    setTimeout(() => {
      server.emit("connection", socket);
      socket.resume();
    }, settingsDelayMs);
  });
  await new Promise<void>((resolve, reject) => door.once("error", reject).listen(socketPath, resolve));
  return {
    socketPath,
    calls,
    counts,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => void door.close(() => resolve()));
      for (const session of sessions) session.destroy();
      await closed;
      directory[Symbol.dispose]();
      forbidOthers(
        "a driver",
        calls.map(({ method }) => method),
        nodeGetInfo,
      );
    },
  };
}

function countCalls(session: ServerHttp2Session, counts: { mostCallsAtOnce: number }): void {
  let open = 0;
  session.on("stream", (stream) => {
    open += 1;
    counts.mostCallsAtOnce = Math.max(counts.mostCallsAtOnce, open);
    stream.on("close", () => (open -= 1));
  });
}

function unscripted(method: string): ScriptedAnswer {
  return { kind: "message", bytes: method.endsWith("/Probe") ? PROBE_RESPONSE.ready : Buffer.alloc(0) };
}

function answer(session: ServerHttp2Session, stream: ServerHttp2Stream, script: ScriptedAnswer): void {
  // A client that was killed meanwhile waits for nothing.
  if (stream.destroyed) return;
  switch (script.kind) {
    case "hang":
      return;
    case "message":
      return respond(stream, script.bytes);
    case "status":
      return stream.respond(
        {
          ":status": 200,
          "content-type": "application/grpc",
          "grpc-status": String(script.code),
          "grpc-message": script.details ?? "",
        },
        { endStream: true },
      );
    case "slow":
      return void setTimeout(() => respond(stream, script.bytes), script.ms);
    case "thenCloses":
      stream.on("close", () => session.destroy());
      return respond(stream, Buffer.alloc(0));
    case "thenSendsGoaway":
      stream.on("close", () => session.goaway());
      return respond(stream, Buffer.alloc(0));
    case "afterGoaway":
      session.goaway(0, 2 ** 31 - 1);
      return void session.ping(() => respond(stream, Buffer.alloc(0)));
  }
  return script satisfies never;
}

function respond(stream: ServerHttp2Stream, message: Buffer): void {
  if (stream.destroyed) return;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(grpcMessage(message));
}
