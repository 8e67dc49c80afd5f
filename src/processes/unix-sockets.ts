import { statSync } from "node:fs";
import { attempt } from "../base/errors";
import { readText } from "../base/reads";
import { listPids } from "./proc-files";
import type { Slices } from "../base/slices";

/** A row of the kernel's table of unix sockets, or a line that looks like one. */
export interface UnixSocket {
  /** That of the socket, as in `socket:[12345]` of `/proc/PID/fd`, not of its file. */
  readonly inode: string;
  /**
   * As given to bind(2): perhaps relative, perhaps renamed since. Empty if not bound; an abstract name begins with `@`.
   */
  readonly path: string;
  /** Whether it is a stream socket with a path that accepts connections. */
  readonly isListening: boolean;
  /** Flags, type and path: two rows of one inode contradict each other if these differ. */
  readonly content: string;
  /** Whether it may be part of a path in an earlier row. */
  readonly mayBeForged: boolean;
}

/**
 * Reads `/proc/PID/net/unix` (proc_net(5)), the unix sockets of one network namespace.
 *
 * The kernel does not escape paths, so a process can bind `x\n0000000000000000: 00000002 ... 12345 /csi/csi.sock`,
 * which reads as two rows. But a path has at most 108 bytes: a line is certainly the kernel's if no earlier path can
 * reach that far.
 *
 * @param table its bytes, each as one character (`latin1`)
 */
export function* parseUnixSockets(table: string): Generator<UnixSocket, void> {
  // The length of the last path, if all lines since its row belong to it.
  let pathBytes = Infinity;
  for (const line of table.split("\n")) {
    pathBytes += 1 + line.length;
    const mayBeForged = pathBytes <= MAX_PATH_BYTES;
    const [, flags, type, inode, path] = ROW.exec(line) ?? [];
    if (flags === undefined || type === undefined || inode === undefined) continue;
    yield {
      inode,
      path: Buffer.from(path ?? "", "latin1").toString("utf8"),
      isListening: isListening(flags, type, path),
      content: `${flags} ${type} ${path}`,
      mayBeForged,
    };
    if (path !== undefined) pathBytes = path.length;
    else if (!mayBeForged) pathBytes = Infinity;
  }
}

/** `sun_path` (unix(7)), of which a path may fill every byte. */
const MAX_PATH_BYTES = 108;

// Num: RefCount Protocol Flags Type St Inode Path. A socket that is not bound has no path.
const ROW = /^[0-9a-f(_)ptrvl]+: [0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) [0-9a-f]+ +(\d+)(?: (.*))?$/is;

// __SO_ACCEPTCON and SOCK_STREAM, in linux/net.h.
const ACCEPTING = 0x1_0000;
const STREAM = 1;

function isListening(flags: string, type: string, path = ""): boolean {
  const accepts = (Number.parseInt(flags, 16) & ACCEPTING) !== 0 && Number.parseInt(type, 16) === STREAM;
  return accepts && path !== "" && !path.startsWith("@");
}

/**
 * Reads the table of each network namespace that has a process, and keeps the rows that `keep` selects. Never rejects.
 */
export async function readUnixSockets(
  procDir: string,
  keep: (row: UnixSocket) => boolean,
  slices: Slices,
): Promise<readonly UnixSocket[]> {
  const kept: UnixSocket[] = [];
  for await (const slice of slices.of(rowsOf(procDir)))
    for (const row of slice) if (row !== undefined && keep(row)) kept.push(row);
  return kept;
}

/** Undefined before each process, so that a slice may end there too. */
function* rowsOf(procDir: string): Generator<UnixSocket | undefined, void> {
  const seen = new Set<number>();
  for (const pid of listPids(procDir)) {
    yield undefined;
    const path = `${procDir}/${pid}/net/unix`;
    // The table's inode identifies the namespace too, and needs no rights, unlike `/proc/PID/ns/net`.
    const namespace = attempt(() => statSync(path).ino);
    if (namespace === undefined || seen.has(namespace)) continue;
    const table = readText(path, "latin1");
    if (table === "") continue;
    seen.add(namespace);
    yield* parseUnixSockets(table);
  }
}
