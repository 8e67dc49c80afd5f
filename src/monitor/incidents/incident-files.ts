import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, errorCode, errorText } from "../../base/errors";
import { quote } from "../../base/text";

/** A directory of incidents, that outlives this process. */
export interface IncidentFiles {
  /** Why no file could be written when it was opened, as `whyNotWritten`; undefined where one could. */
  readonly fault: string | undefined;
  /**
   * Writes a file, whole or not at all, in the place of the one with that id. Deletes the oldest ones that are too
   * many.
   *
   * @throws what the file system says, such as ENOSPC
   */
  write(id: string, text: string): void;
}

export const MAX_FILES = 100;
export const MAX_TOTAL_BYTES = 50 * 1_024 * 1_024;

// Only what is named so is ours to delete.
const FILE = /^incident-\d{8}T\d{6}\.\d{3}Z-\d+\.json$/;
const PART = /^\.incident-\d{8}T\d{6}\.\d{3}Z-\d+\.json\.part$/;

/** A disk that is full or has failed. A node in such trouble is to be watched all the same. */
const DISK_FAULTS: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

const FAULTS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist; create it, or mount a volume there",
  ENOTDIR: "it is not a directory; name one",
  EACCES: "permission denied; make it writable for the uid that monitor runs as",
  EPERM: "permission denied; make it writable for the uid that monitor runs as",
  ENOSPC: "the disk is full; make room there",
  EDQUOT: "the quota is used up; make room there",
  EROFS: "the file system is read-only; mount it writable",
};

/** Why a file could not be written into the directory, and what to do. */
export function whyNotWritten(error: unknown): string {
  return FAULTS[errorCode(error) ?? ""] ?? errorText(error);
}

/**
 * Opens a directory that is there already. Files in it belong to us alone (mode 0600), for a container's log may hold
 * secrets.
 *
 * @throws {ConfigError} where no file can be written in it, unless the disk is at fault
 */
export function openIncidentFiles(directory: string): IncidentFiles {
  let fault: string | undefined;
  try {
    // What a process left that was ended while it wrote.
    for (const name of readdirSync(directory)) if (PART.test(name)) rmSync(join(directory, name), { force: true });
    const attempt = join(directory, `.incident-attempt-${process.pid}`);
    writeWhole(attempt, "");
    rmSync(attempt);
  } catch (error) {
    fault = whyNotWritten(error);
    if (!DISK_FAULTS.has(errorCode(error) ?? ""))
      throw new ConfigError(
        `--incident-dir must be a directory that can be written to, got ${quote(directory)}: ${fault}`,
      );
  }
  return {
    fault,
    write: (id, text) => {
      const name = `incident-${id}.json`;
      const part = join(directory, `.${name}.part`);
      try {
        writeWhole(part, text);
        renameSync(part, join(directory, name));
      } catch (error) {
        rmSync(part, { force: true });
        throw error;
      }
      deleteOldest(directory, name);
    },
  };
}

/** Creates a file; one that is there already, or a link, is removed and not followed. */
function writeWhole(path: string, text: string): void {
  rmSync(path, { force: true });
  const fd = openSync(path, "wx", 0o600);
  try {
    for (let rest: Uint8Array = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(fd, rest));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** @param keep the newest one, which is never deleted */
function deleteOldest(directory: string, keep: string): void {
  const names = readdirSync(directory).filter((name) => FILE.test(name) && name !== keep);
  const newestFirst = names.toSorted((one, other) => (one < other ? 1 : -1));
  let bytes = sizeOf(join(directory, keep));
  for (const [index, name] of newestFirst.entries()) {
    const path = join(directory, name);
    bytes += sizeOf(path);
    if (index + 1 >= MAX_FILES || bytes > MAX_TOTAL_BYTES) rmSync(path, { force: true });
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
