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
import { dirname } from "node:path";
import { promisify } from "node:util";
import { errorCode } from "../base/errors";

/**
 * A directory that is held open, in which files are looked at and placed: whatever becomes of its path meanwhile, and whatever links lie
 * in it, nothing outside of it is written to. Errors of the file system are thrown.
 */
export interface HeldDirectory extends Disposable {
  /** A directory in this one, made where it is missing. A link in its place is refused. */
  readonly enter: (name: string) => HeldDirectory;
  /** The owners of this directory and of those above it, from here to `/`, by their paths. */
  readonly owners: () => ReadonlyMap<string, number>;
  /** Throws where we may not make, replace and remove files in it. */
  readonly assertWritable: () => void;
  /** What is there by that name, itself and not what a link leads to. */
  readonly look: (name: string) => Stats | undefined;
  /** The bytes of a regular file. A link is refused, and a FIFO is not waited for. */
  readonly read: (name: string) => Content;
  /** Writes a file that appears whole or not at all, in place of what is there. */
  readonly place: (name: string, content: Content, mode: number) => Promise<void>;
  /** Removes what calls of `place` have left that were killed. */
  readonly removeParts: () => void;
}

/** Bytes in pieces, of which none takes long to handle: a signal is served between them. */
export type Content = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The bytes of any file, by its path. */
export function readPieces(path: string, flags: number = constants.O_RDONLY): Content {
  return createReadStream(path, { fd: openSync(path, flags), highWaterMark: PIECE_BYTES });
}

const PIECE_BYTES = 1_048_576;

/** Calls `undo` if the process is ended while this is not disposed of: see `Edge.onInterrupt`. */
export type OnInterrupt = (undo: () => void) => Disposable;

/** Opens a directory, made where it is missing; links on the way to it are followed, for somebody has named it. */
export function holdDirectory(path: string, onInterrupt: OnInterrupt): HeldDirectory {
  mkdirSync(path, { recursive: true });
  return hold(openSync(path, constants.O_DIRECTORY), onInterrupt);
}

function hold(fd: number, onInterrupt: OnInterrupt): HeldDirectory {
  // There is no openat(2) here; this link of the kernel's leads to the directory that is open, wherever it is.
  const itself = `/proc/self/fd/${fd}`;
  const at = (name: string): string => `${itself}/${name}`;
  return {
    enter: (name) => {
      makeDirectory(at(name));
      return hold(openSync(at(name), constants.O_DIRECTORY | constants.O_NOFOLLOW), onInterrupt);
    },
    owners: () => new Map(withParents(readlinkSync(itself)).map((path) => [path, lstatSync(path).uid])),
    assertWritable: () => accessSync(at(""), constants.W_OK | constants.X_OK),
    look: (name) => lstatSync(at(name), { throwIfNoEntry: false }),
    read: (name) => readPieces(at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
    place: (name, content, mode) => place(at(newPartName()), at(name), { content, mode, onInterrupt }),
    removeParts: () => {
      for (const name of readdirSync(at("")))
        if (PART.test(name) && lstatSync(at(name)).isFile()) rmSync(at(name), { force: true });
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

const PART = /^\.livenessprobe-[0-9a-f]{32}\.part$/;

function newPartName(): string {
  return `.livenessprobe-${crypto.randomUUID().replaceAll("-", "")}.part`;
}

function withParents(path: string): readonly string[] {
  return path === "/" ? [path] : [path, ...withParents(dirname(path))];
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, 0o755);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

interface Placing {
  readonly content: Content;
  readonly mode: number;
  readonly onInterrupt: OnInterrupt;
}

async function place(part: string, path: string, { content, mode, onInterrupt }: Placing): Promise<void> {
  const remove = (): void => rmSync(part, { force: true });
  // At once, for a signal must not come between the making of the file and the means to remove it.
  const fd = openSync(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  using _ = onInterrupt(remove);
  try {
    await fill(fd, content);
    fchmodSync(fd, mode);
    renameSync(part, path);
  } catch (error) {
    remove();
    throw error;
  } finally {
    closeSync(fd);
  }
}

async function fill(fd: number, content: Content): Promise<void> {
  for await (const piece of content) {
    let rest = piece;
    while (rest.length > 0) rest = rest.subarray((await writeSome(fd, rest)).bytesWritten);
  }
  // Without this a power cut may leave a file that has its name and not its bytes.
  await sync(fd);
}

const writeSome = promisify(write);
const sync = promisify(fsync);
