import { type BigIntStats, closeSync, constants, fstatSync, openSync } from "node:fs";

/**
 * A file that stays the same one, whatever happens to its path. It is not opened for reading (open(2), `O_PATH`). Needs
 * /proc.
 */
export interface HeldFile extends Disposable {
  /** It leads to the held file and follows no other link. */
  readonly path: string;
  readonly stats: BigIntStats;
  /** `device:inode`: the same for every path to the file. */
  readonly fileId: string;
}

/** Holds a directory. Links are followed. Errors of the file system are thrown. */
export function holdDirectory(path: string): HeldFile {
  return hold(path, constants.O_DIRECTORY);
}

/**
 * Holds a file by its name in a held directory. A link is not followed but held itself. Errors of the file system are
 * thrown.
 */
export function holdIn(directory: HeldFile, name: string): HeldFile {
  return hold(`${directory.path}/${name}`, constants.O_NOFOLLOW);
}

/**
 * Holds a file by an absolute path, on which a link leads to nothing (ENOTDIR). Where a path is given to the kernel in
 * one piece, it follows a link that has just taken the place of a directory. Errors of the file system are thrown.
 */
export function holdWithoutLinks(path: string): HeldFile {
  let here = holdDirectory("/");
  for (const name of path.split("/").filter((part) => part !== "")) {
    using directory = here;
    here = holdIn(directory, name);
  }
  return here;
}

/** Of open(2), for which node:fs has no name; the same on x86-64 and arm64. */
const O_PATH = 0o10_000_000;

function hold(path: string, flags: number): HeldFile {
  const fd = openSync(path, O_PATH | flags);
  const close = (): void => closeSync(fd);
  try {
    const stats = fstatSync(fd, { bigint: true });
    return { path: `/proc/self/fd/${fd}`, stats, fileId: `${stats.dev}:${stats.ino}`, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}
