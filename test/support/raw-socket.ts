import { dlopen, ptr } from "bun:ffi";
import { endianness } from "node:os";

/**
 * What node:net cannot do to a listening socket: a backlog of its own size, no accept, a close that leaves the file.
 */
export interface RawListener {
  /** Connects until the backlog takes no more, and how many connections that took. */
  fill(): number;
  /** Closes the listener and those that filled it; the file stays. */
  close(): void;
}

// From the headers of Linux, alike on x86-64 and 64-bit ARM.
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
const SOCK_STREAM_NONBLOCK_CLOEXEC = SOCK_STREAM | NONBLOCK_CLOEXEC;

/** A unix socket on which nobody ever calls accept(2). */
export function listenWithoutAccept(path: string, backlog: number): RawListener {
  const libc = openLibc();
  const address = socketAddress(path);
  const open = [libc.socket(AF_UNIX, SOCK_STREAM_NONBLOCK_CLOEXEC, 0)];
  const [listener = -1] = open;
  if (libc.bind(listener, ptr(address), address.length) !== 0) throw new Error(`cannot bind ${path}`);
  if (libc.listen(listener, backlog) !== 0) throw new Error(`cannot listen on ${path}`);
  return {
    fill: () => {
      for (;;) {
        const client = libc.socket(AF_UNIX, SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
        open.push(client);
        // A full backlog is EAGAIN to a socket that does not block (unix(7)).
        if (libc.connect(client, ptr(address), address.length) !== 0) return open.length - 2;
      }
    },
    close: () => {
      for (const fd of open.splice(0)) libc.close(fd);
    },
  };
}

/** A unix socket for datagrams; the returned function closes it, and the file stays. */
export function bindDatagrams(path: string): () => void {
  const libc = openLibc();
  const address = socketAddress(path);
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | NONBLOCK_CLOEXEC, 0);
  if (libc.bind(fd, ptr(address), address.length) !== 0) throw new Error(`cannot bind ${path}`);
  return () => void libc.close(fd);
}

function openLibc() {
  return dlopen("libc.so.6", {
    socket: { args: ["int", "int", "int"], returns: "int" },
    bind: { args: ["int", "ptr", "u32"], returns: "int" },
    connect: { args: ["int", "ptr", "u32"], returns: "int" },
    listen: { args: ["int", "int"], returns: "int" },
    close: { args: ["int"], returns: "int" },
  }).symbols;
}

/** A `sockaddr_un`: the family in the machine's byte order, the path, a NUL. */
function socketAddress(path: string): Buffer {
  const family = Buffer.alloc(2);
  if (endianness() === "LE") family.writeUInt16LE(AF_UNIX);
  else family.writeUInt16BE(AF_UNIX);
  return Buffer.concat([family, Buffer.from(path), Buffer.of(0)]);
}
