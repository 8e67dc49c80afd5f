import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";
import { BEHAVIOURS, type Behaviour, type BehaviourName } from "./hostile-behaviours";

export interface ConnectionCounts {
  readonly open: number;
  readonly total: number;
  readonly maxOpen: number;
}

export interface HostileDriver extends AsyncDisposable {
  readonly socketPath: string;
  /** Read anew each time; a connection counts from its accept until both ends are closed. */
  readonly connections: ConnectionCounts;
}

/** Starts, in this process, a driver that treats every connection in one bad way: see `BEHAVIOURS`. */
export function startHostileDriver(name: BehaviourName): Promise<HostileDriver> {
  return startScriptedDriver(BEHAVIOURS[name]);
}

/** Starts, in this process, a driver that treats every connection alike. */
export async function startScriptedDriver(behave: Behaviour): Promise<HostileDriver> {
  const directory = temporaryDirectory();
  const socketPath = join(directory.path, "csi.sock");
  const sockets = new Set<Socket>();
  const connections = { open: 0, total: 0, maxOpen: 0 };
  const server = createServer((socket) => {
    sockets.add(socket);
    connections.total += 1;
    connections.open = sockets.size;
    connections.maxOpen = Math.max(connections.maxOpen, sockets.size);
    // A client that leaves in the middle of an attack is no fault of the test's.
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      connections.open = sockets.size;
    });
    behave(socket);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(socketPath, resolve));
  return {
    socketPath,
    connections,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      directory[Symbol.dispose]();
    },
  };
}
