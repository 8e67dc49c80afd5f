import type { Socket, TCPSocketListener } from "bun";
import { errorCode } from "../errors";
import { readHead, type CompleteHead } from "./request";

/** A TCP listener that takes one HTTP request a connection. */
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
  readonly maxConnections: number;
  /** The bytes to send to whoever sent `head`. Must not reject. Runs to its end even when the client goes away. */
  readonly answer: (head: CompleteHead) => Promise<Uint8Array>;
}

/**
 * A request's head may take this long to arrive, however many bytes come meanwhile, and a client this long to take its
 * answer and hang up. uSockets counts in steps of 4 s.
 */
const PATIENCE_SECONDS = 8;

/**
 * Listens, and counts connections: when there are too many, the oldest that is not being answered is cut off, so that no
 * number of idle clients keeps the kubelet out.
 *
 * `Bun.serve` has neither a limit of connections nor an event for a new one, and holds whoever says nothing for 10 s; enough
 * of them, and the kubelet restarts a healthy driver. `node:http` has both, for 0.2 ms of
 * CPU a request and 3 MiB more than this (`bun bench/http.ts`).
 *
 * @throws an Error with a `code` such as `EADDRINUSE` when it cannot listen
 */
export function openDoor(options: DoorOptions): Door {
  const { maxConnections, answer } = options;
  const connections = new Set<Connection>();
  /** Those not being answered, the oldest first. */
  const idlers = new Set<Connection>();
  let answering = 0;
  let onIdle = Promise.withResolvers<void>();
  onIdle.resolve();

  function open(client: Client): void {
    const connection: Connection = { client, phase: "asking", received: "", unsent: NOTHING };
    client.data = connection;
    connections.add(connection);
    waitFor(connection);
    if (connections.size > maxConnections) firstOf(idlers)?.client.terminate();
  }

  function waitFor(connection: Connection): void {
    idlers.add(connection);
    connection.client.timeout(PATIENCE_SECONDS);
  }

  function receive(connection: Connection, chunk: Buffer): void {
    // What follows a request's head is read and thrown away: unread bytes would make the close a reset.
    if (connection.phase !== "asking") return;
    connection.received += chunk.toString("latin1");
    const head = readHead(connection.received);
    if (head.kind === "partial") return;
    connection.received = "";
    void letIn(connection, head);
  }

  async function letIn(connection: Connection, head: CompleteHead): Promise<void> {
    connection.phase = "answering";
    idlers.delete(connection);
    connection.client.timeout(0);
    if (answering === 0) onIdle = Promise.withResolvers();
    answering += 1;
    showOut(connection, await answer(head));
    answering -= 1;
    if (answering === 0) onIdle.resolve();
  }

  /** Answers, and waits a little for the client to hang up, lest a reset overtake the answer. */
  function showOut(connection: Connection, bytes: Uint8Array): void {
    if (connection.phase === "gone") return;
    connection.phase = "leaving";
    connection.unsent = bytes;
    waitFor(connection);
    flush(connection);
  }

  function forget(connection: Connection): void {
    connection.phase = "gone";
    connection.unsent = NOTHING;
    connections.delete(connection);
    idlers.delete(connection);
  }

  const listener = listen(options, {
    open,
    data: (client, chunk) => receive(client.data, chunk),
    drain: (client) => {
      if (client.data.unsent.length > 0) flush(client.data);
    },
    end: (client) => {
      // A client may close its sending side behind its request, and still wants the answer.
      if (client.data.phase === "asking") client.end();
    },
    timeout: (client) => client.terminate(),
    close: (client) => forget(client.data),
    error: (client) => client.terminate(),
  });
  return {
    hostname: listener.hostname,
    port: listener.port,
    close: () => {
      listener.stop();
      for (const { phase, client } of idlers) if (phase === "asking") client.terminate();
    },
    idle: () => onIdle.promise,
    terminate: () => {
      listener.stop();
      for (const { client } of connections) client.terminate();
    },
  };
}

type Client = Socket<Connection>;

interface Connection {
  readonly client: Client;
  phase: "asking" | "answering" | "leaving" | "gone";
  /** Of a request's head, while it is not complete. */
  received: string;
  unsent: Uint8Array;
}

const NOTHING = new Uint8Array(0);

function flush(connection: Connection): void {
  const { client, unsent } = connection;
  // -1 where the client is gone.
  connection.unsent = unsent.subarray(Math.max(0, client.write(unsent)));
  if (connection.unsent.length === 0) client.shutdown();
}

function firstOf<Item>(items: ReadonlySet<Item>): Item | undefined {
  for (const item of items) return item;
  return undefined;
}

function listen(options: DoorOptions, socket: Bun.SocketHandler<Connection>): TCPSocketListener<Connection> {
  const { address, otherwise } = addressesFor(options.hostname);
  const listenOn = (hostname: string) =>
    Bun.listen<Connection>({ hostname, port: options.port, allowHalfOpen: true, socket });
  try {
    return listenOn(address);
  } catch (error) {
    const code = errorCode(error);
    if (otherwise === undefined || code === "EADDRINUSE" || code === "EACCES") throw error;
    return listenOn(otherwise);
  }
}

/** What to listen on, and what instead on a kernel that has only the other family. */
function addressesFor(hostname: string | undefined): { readonly address: string; readonly otherwise?: string } {
  if (hostname === undefined) return { address: "::", otherwise: "0.0.0.0" };
  // Go prefers IPv4 here. Bun would take the first that /etc/hosts has, and leave 127.0.0.1 without a listener for ::1.
  if (hostname.toLowerCase() === "localhost") return { address: "127.0.0.1", otherwise: "::1" };
  return { address: hostname };
}
