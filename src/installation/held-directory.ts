import {
  accessSync,
  closeSync,
  constants,
  createReadStream,
  fchmodSync,
  fsync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  write,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";

/**
 * A directory that is held open to look at files and to place some. Nothing outside of it is written to, whatever
 * happens to its path and whatever links lie in it. Errors of the file system are thrown.
 */
export interface HeldDirectory extends Disposable {
  /** Opens a directory in this one, and makes it if it is missing. Refuses a link. */
  readonly enter: (name: string) => HeldDirectory;
  /**
   * The owners of all that is on the way from `/` to this directory, its own path and the one by which it was opened,
   * by path.
   */
  readonly owners: (openedBy: string) => ReadonlyMap<string, number>;
  /** Throws if we may not make, replace and remove files in it. */
  readonly assertWritable: () => void;
  /** As lstat(2). */
  readonly look: (name: string) => Stats | undefined;
  /** The bytes of a regular file. Refuses a link, and does not wait for a FIFO. */
  readonly read: (name: string) => Content;
  /** Writes a file in place of what is there. It appears whole or not at all. */
  readonly place: (name: string, content: Content, mode: number) => Promise<void>;
  /** Removes what calls of `place` left when they were killed. */
  readonly removeParts: () => void;
}

/** Bytes in pieces that are quick to handle: signals are served between them. */
export type Content = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The bytes of any file, by its path. */
export function readPieces(path: string, flags: number = constants.O_RDONLY): Content {
  return createReadStream(path, { fd: openSync(path, flags), highWaterMark: PIECE_BYTES });
}

const PIECE_BYTES = 1_048_576;

/** Calls `undo` if the process is ended while this is not disposed of: see `ProcessContext.onInterrupt`. */
export type OnInterrupt = (undo: () => void) => Disposable;

/** Opens a directory, and makes it if it is missing. Follows links on the way to it, because a person named it. */
export function holdDirectory(path: string, onInterrupt: OnInterrupt): HeldDirectory {
  mkdirSync(path, { recursive: true });
  return hold(openSync(path, constants.O_DIRECTORY), onInterrupt);
}

function hold(fd: number, onInterrupt: OnInterrupt): HeldDirectory {
  // In place of openat(2), which node:fs does not have: this link leads to the open directory, wherever it is.
  const itself = `/proc/self/fd/${fd}`;
  const at = (name: string): string => `${itself}/${name}`;
  return {
    enter: (name) => {
      mkdirSync(at(name), { recursive: true, mode: 0o755 });
      return hold(openSync(at(name), constants.O_DIRECTORY | constants.O_NOFOLLOW), onInterrupt);
    },
    owners: (openedBy) => {
      const paths = [readlinkSync(itself), resolve(openedBy)].flatMap(withParents);
      return new Map(paths.map((path) => [path, lstatSync(path).uid]));
    },
    assertWritable: () => accessSync(at(""), constants.W_OK | constants.X_OK),
    look: (name) => lstatSync(at(name), { throwIfNoEntry: false }),
    read: (name) => readPieces(at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
    place: async (name, content, mode) => {
      const part = at(`.livenessprobe-${crypto.randomUUID()}.part`);
      const remove = (): void => rmSync(part, { force: true });
      // Not awaited: a signal must not come between making the file and being able to remove it.
      const made = openSync(
        part,
        constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
        0o600,
      );
      using _ = onInterrupt(remove);
      try {
        await fill(made, content);
        fchmodSync(made, mode);
        renameSync(part, at(name));
      } catch (error) {
        remove();
        throw error;
      } finally {
        closeSync(made);
      }
    },
    removeParts: () => {
      for (const name of readdirSync(at("")))
        if (PART.test(name) && lstatSync(at(name)).isFile()) rmSync(at(name), { force: true });
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

const PART = /^\.livenessprobe-[0-9a-f-]+\.part$/;

function withParents(path: string): readonly string[] {
  return path === "/" ? [path] : [path, ...withParents(dirname(path))];
}

async function fill(fd: number, content: Content): Promise<void> {
  for await (const piece of content) {
    let rest = piece;
    while (rest.length > 0) rest = rest.subarray((await writeSome(fd, rest)).bytesWritten);
  }
  // Otherwise a power cut may leave a file with its name and without its bytes.
  await sync(fd);
}

const writeSome = promisify(write);
const sync = promisify(fsync);
