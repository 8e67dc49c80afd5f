/** A unix socket that somebody listens on. */
export interface ListeningSocket {
  /** The inode of the socket itself, as in `socket:[12345]` of `/proc/PID/fd`; not that of its file. */
  readonly inode: string;
  /** As it was given to bind(2): in the mount namespace of whoever bound it, perhaps relative, perhaps renamed since. */
  readonly path: string;
}

/**
 * Reads `/proc/PID/net/unix` (proc_net(5)): the stream sockets with a path that are listened on, in one network namespace.
 * Abstract sockets, whose names begin with `@` there, are left out, for they have no file.
 */
export function parseUnixSockets(text: string): readonly ListeningSocket[] {
  return text.split("\n").flatMap((line) => {
    const [, flags, type, inode, path] = LINE.exec(line) ?? [];
    if (inode === undefined || path === undefined) return [];
    const listening =
      (Number.parseInt(flags ?? "", 16) & ACCEPTING) !== 0 && Number.parseInt(type ?? "", 16) === STREAM;
    return listening ? [{ inode, path }] : [];
  });
}

// Num: RefCount Protocol Flags Type St Inode Path
const LINE = /^[0-9a-f]+: [0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) [0-9a-f]+ +(\d+) ([^@].*)$/i;

// __SO_ACCEPTCON and SOCK_STREAM, in linux/net.h.
const ACCEPTING = 0x1_0000;
const STREAM = 1;
