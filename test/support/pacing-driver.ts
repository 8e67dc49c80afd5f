import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { ConnectionCounts } from "./hostile-driver";
import { FLAG, grpcMessage, headers, settings } from "./http2-frames";
import { http2Peer } from "./http2-peer";
import { temporaryDirectory } from "../../scripts/temporary";

/** How a request is answered: so many milliseconds after it arrived, or `hang`. */
export type Pace = number | "hang";

export interface PacingDriver extends AsyncDisposable {
  readonly socketPath: string;
  /** Read anew each time; a connection counts from its accept until both ends are closed. */
  readonly connections: ConnectionCounts;
  /** Requests that have arrived whole so far. */
  readonly requests: number;
  /** How requests are answered that arrive from now on. */
  setPace(pace: Pace): void;
  /** Counts anew. */
  forget(): void;
}

/** `ready: true`, which to GetPluginInfo is a name too. */
const MESSAGE = Buffer.of(0x0a, 0x02, 0x08, 0x01);

/** Starts, in this process, a driver that is ready in its own time and counts its connections. */
export async function startPacingDriver(): Promise<PacingDriver> {
  const directory = temporaryDirectory();
  const socketPath = join(directory.path, "csi.sock");
  const sockets = new Set<Socket>();
  const counts = { open: 0, total: 0, maxOpen: 0 };
  const state: { pace: Pace; requests: number } = { pace: 0, requests: 0 };
  const server = createServer((socket) => {
    sockets.add(socket);
    counts.total += 1;
    counts.open = sockets.size;
    counts.maxOpen = Math.max(counts.maxOpen, counts.open);
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      counts.open = sockets.size;
    });
    answerAt(socket, state);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(socketPath, resolve));
  return {
    socketPath,
    connections: counts,
    get requests() {
      return state.requests;
    },
    setPace: (pace) => void (state.pace = pace),
    forget: () => void Object.assign(counts, { total: 0, maxOpen: counts.open }),
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      directory[Symbol.dispose]();
    },
  };
}

function answerAt(socket: Socket, state: { readonly pace: Pace; requests: number }): void {
  socket.write(settings());
  const peer = http2Peer(socket, (streamId) => {
    state.requests += 1;
    if (state.pace === "hang") return;
    const timer = setTimeout(async () => {
      peer.write(
        headers(streamId, [
          [":status", "200"],
          ["content-type", "application/grpc"],
        ]),
      );
      await peer.writeData(streamId, grpcMessage(MESSAGE));
      peer.write(headers(streamId, [["grpc-status", "0"]], FLAG.END_STREAM));
    }, state.pace);
    socket.once("close", () => clearTimeout(timer));
  });
}
