import type { Socket, TCPSocketListener } from "bun";
import { errorCode } from "../errors";

/** The TCP listener before an HTTP server that listens on a unix socket of this process. */
export interface Door {
  readonly hostname: string;
  readonly port: number;
  /** Takes no more connections and closes those that have not sent a whole request. */
  close(): void;
  /** Resolves when no request is being answered. */
  idle(): Promise<void>;
  /** Cuts off every connection. */
  terminate(): void;
}

export interface DoorOptions {
  /** Undefined is every address, IPv4 and IPv6; IPv4 alone where the kernel has no IPv6. */
  readonly hostname: string | undefined;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** The unix socket of the HTTP server behind the door. */
  readonly serverSocket: string;
  readonly maxConnections: number;
}

/** A request head may take this long to arrive, and a client this long to hang up after its answer. uSockets counts in steps of 4 s. */
const PATIENCE_SECONDS = 8;

/** As large as `Bun.serve` takes. */
const MAX_HEAD_BYTES = 16_384;

/**
 * Listens, and lets a connection in to the HTTP server when its request's head is complete, for one request.
 *
 * `Bun.serve` has no limit of connections and no event for a new one, and a client that opens some and sends nothing holds
 * them for 10 s: enough of them, and the kubelet's connection waits in the queue until it gives up and restarts a healthy
 * driver. So connections are counted here, and when there are too many, the oldest that is not being answered is cut off.
 * `node:http`, which has such events, costs 0.3 ms of CPU a request and 5 MiB; this costs 0.07 ms and 1 MiB.
 *
 * @throws an Error with a `code` such as `EADDRINUSE` when it cannot listen
 */
export function openDoor(options: DoorOptions): Door {
  const { serverSocket, maxConnections } = options;
  const connections = new Set<Connection>();
  /** Those not being answered, the oldest first. */
  const idlers = new Set<Connection>();
  let inside = 0;
  let onIdle: (() => void) | undefined;

  function open(client: Client): void {
    const connection: Connection = { client, phase: "asking", head: undefined, server: undefined, unsent: [] };
    client.data = connection;
    connections.add(connection);
    idlers.add(connection);
    client.timeout(PATIENCE_SECONDS);
    if (connections.size > maxConnections) firstOf(idlers)?.client.terminate();
  }

  function receive(connection: Connection, chunk: Buffer): void {
    // One request a connection: what follows its head is read and thrown away.
    if (connection.phase !== "asking") return;
    const head = connection.head === undefined ? chunk : Buffer.concat([connection.head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end !== -1 && end <= MAX_HEAD_BYTES) return letIn(connection, Buffer.from(head.subarray(0, end + 4)));
    if (head.length > MAX_HEAD_BYTES) return refuse(connection, "431 Request Header Fields Too Large", "");
    connection.head = Buffer.from(head);
    return undefined;
  }

  function letIn(connection: Connection, head: Buffer): void {
    connection.phase = "inside";
    connection.head = undefined;
    idlers.delete(connection);
    inside += 1;
    connection.client.timeout(0);
    void Bun.connect({ unix: serverSocket, data: { connection, head }, socket: serverHandlers }).catch(
      (error: unknown) => {
        refuse(
          connection,
          "500 Internal Server Error",
          `internal error of the sidecar: ${errorCode(error) ?? "no connection"}`,
        );
      },
    );
  }

  function refuse(connection: Connection, status: string, body: string): void {
    send(
      connection,
      Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`),
    );
    showOut(connection);
  }

  /** The answer is complete: says so, and waits a little for the client to hang up, lest a reset overtake the answer. */
  function showOut(connection: Connection): void {
    leaveInside(connection);
    connection.phase = "leaving";
    if (!connections.has(connection)) return;
    idlers.add(connection);
    connection.client.timeout(PATIENCE_SECONDS);
    if (connection.unsent.length === 0) connection.client.shutdown();
  }

  function leaveInside(connection: Connection): void {
    if (connection.phase !== "inside") return;
    inside -= 1;
    if (inside === 0) onIdle?.();
  }

  function forget(connection: Connection): void {
    connections.delete(connection);
    idlers.delete(connection);
    connection.unsent = [];
    connection.server?.end();
    leaveInside(connection);
    connection.phase = "leaving";
  }

  const clientHandlers = {
    open,
    data: (client: Client, chunk: Buffer) => receive(client.data, chunk),
    drain: (client: Client) => {
      flush(client.data);
      if (client.data.phase === "leaving" && client.data.unsent.length === 0) client.shutdown();
    },
    end: (client: Client) => {
      // A client may close its sending side behind a complete request, and still wants the answer.
      if (client.data.phase !== "inside") client.end();
    },
    timeout: (client: Client) => client.terminate(),
    close: (client: Client) => forget(client.data),
    error: (client: Client) => client.terminate(),
  };

  const serverHandlers = {
    open: (server: Socket<ServerData>) => {
      const { connection, head } = server.data;
      if (connection.phase === "inside") {
        connection.server = server;
        // The kernel takes it whole: the buffer of a new unix socket is larger than the largest head.
        server.write(head);
      } else {
        server.end();
      }
    },
    data: (server: Socket<ServerData>, chunk: Buffer) => send(server.data.connection, chunk),
    close: (server: Socket<ServerData>) => {
      server.data.connection.server = undefined;
      showOut(server.data.connection);
    },
    error: (server: Socket<ServerData>) => server.terminate(),
  };

  const listener = listen(options, clientHandlers);
  return {
    hostname: listener.hostname,
    port: listener.port,
    close: () => {
      listener.stop();
      for (const connection of idlers) if (connection.phase === "asking") connection.client.terminate();
    },
    idle: () => {
      if (inside === 0) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      onIdle = resolve;
      return promise;
    },
    terminate: () => {
      for (const connection of connections) connection.client.terminate();
    },
  };
}

type Client = Socket<Connection>;

interface Connection {
  readonly client: Client;
  phase: "asking" | "inside" | "leaving";
  head: Buffer | undefined;
  server: Socket<ServerData> | undefined;
  unsent: Buffer[];
}

interface ServerData {
  readonly connection: Connection;
  readonly head: Buffer;
}

function send(connection: Connection, bytes: Buffer): void {
  connection.unsent.push(Buffer.from(bytes));
  flush(connection);
}

function flush(connection: Connection): void {
  for (let next = connection.unsent[0]; next !== undefined; next = connection.unsent[0]) {
    const written = Math.max(0, connection.client.write(next));
    if (written < next.length) {
      connection.unsent[0] = next.subarray(written);
      return;
    }
    connection.unsent.shift();
  }
}

function firstOf<Item>(items: ReadonlySet<Item>): Item | undefined {
  for (const item of items) return item;
  return undefined;
}

function listen(options: DoorOptions, socket: Bun.SocketHandler<Connection>): TCPSocketListener<Connection> {
  const { hostname, port } = options;
  const listenOn = (address: string) =>
    Bun.listen<Connection>({ hostname: address, port, allowHalfOpen: true, socket });
  if (hostname !== undefined) return listenOn(hostname);
  try {
    return listenOn("::");
  } catch (error) {
    if (errorCode(error) === "EADDRINUSE" || errorCode(error) === "EACCES") throw error;
    return listenOn("0.0.0.0");
  }
}
