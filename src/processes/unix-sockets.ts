import { statSync } from "node:fs";
import { readBytes, valueOf } from "../node/reads";
import { listPids } from "./proc-files";
import type { Slices } from "../base/slices";

/** A row of the kernel's table of unix sockets, or what somebody made to look like one. */
export interface UnixSocket {
  /** The inode of the socket itself, as in `socket:[12345]` of `/proc/PID/fd`; not that of its file. */
  readonly inode: string;
  /**
   * As it was given to bind(2): in the mount namespace of whoever bound it, perhaps relative, perhaps renamed since. Empty
   * where it was not bound; an abstract name begins with `@`.
   */
  readonly path: string;
  /** Whether it is a stream socket that is listened on, by a path. */
  readonly isListening: boolean;
  /** Flags, type and path, to compare what two rows say of one inode. */
  readonly content: string;
  /** Whether it may be no row at all but a part of a path in a row before it. */
  readonly mayBeForged: boolean;
}

/**
 * Reads `/proc/PID/net/unix` (proc_net(5)), the unix sockets of one network namespace.
 *
 * The kernel writes a path as it is, line feeds too, so whoever may bind a socket can write a line that looks like any row:
 * bind(2) to `x\n0000000000000000: 00000002 ... 12345 /csi/csi.sock`. But a path has at most 108 bytes, so a line is the
 * kernel's own where it is too far from the beginning of each path before it. Of any other line that cannot be known.
 *
 * @param table its bytes, each as one character (`latin1`)
 */
export function* parseUnixSockets(table: string): Generator<UnixSocket, void> {
  // How long the last path would be, if all lines since its row were a part of it.
  let pathBytes = Infinity;
  for (const line of linesOf(table)) {
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

function* linesOf(text: string): Generator<string, void> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    yield text.slice(start, end === -1 ? undefined : end);
    start = end === -1 ? text.length : end + 1;
  }
}

/** `sun_path` (unix(7)); the kernel takes a path that fills it without a NUL at its end. */
const MAX_PATH_BYTES = 108;

// Num: RefCount Protocol Flags Type St Inode Path. Without an address, the row ends with the inode.
const ROW = /^[0-9a-f(_)ptrvl]+: [0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) [0-9a-f]+ +(\d+)(?: (.*))?$/is;

// __SO_ACCEPTCON and SOCK_STREAM, in linux/net.h.
const ACCEPTING = 0x1_0000;
const STREAM = 1;

function isListening(flags: string, type: string, path = ""): boolean {
  const accepts = (Number.parseInt(flags, 16) & ACCEPTING) !== 0 && Number.parseInt(type, 16) === STREAM;
  return accepts && path !== "" && !path.startsWith("@");
}

/** So many rows are read before it is looked whether the slice is over. */
const ROWS_AT_A_TIME = 1_024;

export interface UnixTables {
  readonly rows: readonly UnixSocket[];
  /** Whether the time was up before all tables had been read. */
  readonly cut: boolean;
}

/** Reads one table for each network namespace that a process is in, and keeps the rows that are asked for. Never rejects. */
export async function readUnixSockets(
  procDir: string,
  keep: (row: UnixSocket) => boolean,
  slices: Slices,
): Promise<UnixTables> {
  const kept: UnixSocket[] = [];
  const seen = new Set<number>();
  let rows = 0;
  // oxlint-disable no-await-in-loop -- one slice after the other is the point
  for (const pid of listPids(procDir)) {
    await slices.pause();
    if (slices.isOver()) return { rows: kept, cut: true };
    const namespace = namespaceOf(procDir, pid);
    if (namespace === undefined || seen.has(namespace)) continue;
    const table = valueOf(readBytes(`${procDir}/${pid}/net/unix`));
    if (table === undefined) continue;
    seen.add(namespace);
    for (const row of parseUnixSockets(table)) {
      if (keep(row)) kept.push(row);
      rows += 1;
      if (rows % ROWS_AT_A_TIME === 0) await slices.pause();
    }
  }
  // oxlint-enable no-await-in-loop
  return { rows: kept, cut: false };
}

// The table's own inode is one a namespace too, and unlike `/proc/PID/ns/net` it may be asked for by anyone.
function namespaceOf(procDir: string, pid: number): number | undefined {
  try {
    return statSync(`${procDir}/${pid}/net/unix`).ino;
  } catch {
    // It has ended.
    return undefined;
  }
}
