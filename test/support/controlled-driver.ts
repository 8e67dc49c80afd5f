import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { grpcMessage } from "./http2-frames";
import { PROBE_RESPONSE } from "./probe-messages";

/** How Probe is answered: at once, when `release` is called, or with a status. */
export type ControlledMode = "ready" | "notReady" | "hold" | "unavailable" | "unimplemented";

export interface ControlledDriver extends AsyncDisposable {
  mode: ControlledMode;
  /** What GetPluginInfo answers; asked anew for each call. */
  nameOf: () => string;
  readonly connections: { open: number; total: number; maxOpen: number };
  readonly calls: string[];
  /** Answers the calls that are held. */
  release(): void;
  /** Closes every connection. */
  drop(): void;
}

/** Starts, in this process, a driver at a path, on node:http2. Its connections are counted. */
export async function startControlledDriver(socketPath: string, name: string): Promise<ControlledDriver> {
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  const held = new Set<ServerHttp2Stream>();
  const connections = { open: 0, total: 0, maxOpen: 0 };
  const server = createServer();
  const driver: ControlledDriver = {
    mode: "ready",
    nameOf: () => name,
    connections,
    calls: [],
    release: () => {
      for (const stream of held) respond(stream, PROBE_RESPONSE.ready);
      held.clear();
    },
    drop: () => {
      // The socket, as when a process is killed: a session says goodbye.
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("session", (session) => {
    sessions.add(session);
    connections.total += 1;
    connections.open = sessions.size;
    connections.maxOpen = Math.max(connections.maxOpen, sessions.size);
    session.on("error", () => {});
    session.on("close", () => {
      sessions.delete(session);
      connections.open = sessions.size;
    });
  });
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    const path = headers[":path"] ?? "";
    driver.calls.push(path);
    stream.on("error", () => {});
    stream.on("close", () => held.delete(stream));
    if (driver.mode === "unimplemented") return fail(stream, 12);
    if (path === "/csi.v1.Identity/GetPluginInfo") return respond(stream, pluginInfo(driver.nameOf()));
    if (path !== "/csi.v1.Identity/Probe") return fail(stream, 12);
    switch (driver.mode) {
      case "ready":
        return respond(stream, PROBE_RESPONSE.ready);
      case "notReady":
        return respond(stream, PROBE_RESPONSE.notReadyEmpty);
      case "unavailable":
        return fail(stream, 14);
      case "hold":
        return void held.add(stream);
    }
    return driver.mode satisfies never;
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(socketPath, resolve));
  return driver;
}

function respond(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (stream.destroyed) return;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(grpcMessage(message));
}

function fail(stream: ServerHttp2Stream, code: number): void {
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", "grpc-status": String(code), "grpc-message": "no" },
    { endStream: true },
  );
}

/** `csi.v1.GetPluginInfoResponse`: name is field 1, vendor_version is field 2. */
function pluginInfo(name: string): Buffer {
  return Buffer.concat([field(1, name), field(2, "1.0.0")]);
}

function field(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest >= 0x80 ? (rest & 0x7f) | 0x80 : rest);
    if (rest < 0x80) break;
  }
  return Buffer.concat([Buffer.of((number << 3) | 2, ...length), bytes]);
}
