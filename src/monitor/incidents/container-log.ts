import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { readNames, valueOf } from "../../base/reads";
import type { Root } from "../../node/rooted-path";
import type { Pod } from "../../processes/pod";

export const MAX_LOG_LINES = 100;
const MAX_LOG_BYTES = 65_536;

/**
 * The last lines of a container's log, as the runtime wrote it to
 * `/var/log/pods/NAMESPACE_NAME_UID/CONTAINER/RESTARTS.log`:
 * those of the newest run. Undefined where there is none. Never throws.
 */
export function readContainerLog(root: Root, pod: Pod): readonly string[] | undefined {
  const { uid, namespace, name, container } = pod;
  if (uid === undefined || namespace === undefined || name === undefined || container === undefined) return undefined;
  const found = root.resolve(`/var/log/pods/${namespace}_${name}_${uid}/${container}`);
  if (found.kind !== "found" || found.file.type !== "directory") return undefined;
  const names = valueOf(readNames(found.outerPath)) ?? [];
  const runs = names.flatMap((file) => /^(\d+)\.log$/.exec(file)?.[1] ?? []).map(Number);
  if (runs.length === 0) return undefined;
  // With some runtimes it is a link.
  const log = root.resolve(`${found.path}/${Math.max(...runs)}.log`);
  return log.kind === "found" ? readTail(log.outerPath) : undefined;
}

function readTail(path: string): readonly string[] | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return undefined;
      const start = Math.max(0, stats.size - MAX_LOG_BYTES);
      const bytes = Buffer.alloc(Math.min(stats.size, MAX_LOG_BYTES));
      const length = readSync(fd, bytes, 0, bytes.length, start);
      const lines = bytes.subarray(0, length).toString("utf8").replace(/\n$/, "").split("\n");
      // The first is cut where the file is longer.
      return (start === 0 ? lines : lines.slice(1)).slice(-MAX_LOG_LINES);
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
