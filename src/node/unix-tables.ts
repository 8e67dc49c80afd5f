import { statSync } from "node:fs";
import { listPids } from "./proc-files";
import { readBytes, valueOf } from "./reads";
import type { Slices } from "./slices";
import { parseUnixSockets, type UnixSocket } from "./unix-sockets";

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
