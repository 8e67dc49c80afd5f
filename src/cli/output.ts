import { constants, fstatSync, openSync, write } from "node:fs";
import { promisify } from "node:util";
import { errorCode } from "../base/errors";

export const STDOUT = 1;
export const STDERR = 2;

/** Standard output and standard error. */
export interface Output {
  /** Returns at once: texts are written one after another, each whole, however slowly they are read. */
  readonly write: (fd: number, text: string) => void;
  /** Resolves when everything is written. Rejects where standard output takes no more, as on a full disk. */
  readonly written: () => Promise<void>;
  /** Resolves when everything is written: false where nobody reads standard output, or it takes no more. */
  readonly isRead: () => Promise<boolean>;
  /** Drops what is written from now on. */
  readonly close: () => void;
}

/**
 * Writes in the background, so that a signal is served while a reader is slow. Both streams share one queue: they may
 * lead to the same terminal.
 */
export function createOutput(writeSome: WriteSome = promisify(write)): Output {
  let last = Promise.resolve();
  let closed = false;
  let failure: unknown;
  let isLeft = false;
  let watching: Promise<void> | undefined;
  return {
    write: (fd, text) => {
      if (closed) return;
      const bytes = Buffer.from(text);
      last = last
        .then(() => writeWhole(fd, bytes, writeSome))
        .catch((error: unknown) => {
          // There is nobody left to be told that standard error is gone.
          if (fd === STDERR) return;
          // Nobody reads any more, as behind `| head`.
          if (errorCode(error) === "EPIPE") isLeft = true;
          else failure ??= error;
        });
    },
    written: async () => {
      await last;
      if (failure !== undefined) throw failure;
    },
    isRead: async () => {
      watching ??= watchReader(STDOUT, () => (isLeft = true));
      await last;
      return failure === undefined && !isLeft;
    },
    close: () => {
      closed = true;
    },
  };
}

/** As `fs.write`. */
type WriteSome = (fd: number, bytes: Uint8Array) => Promise<{ readonly bytesWritten: number }>;

/** While a pipe is full. */
const PAUSE_MS = 5;

async function writeWhole(fd: number, bytes: Uint8Array, writeSome: WriteSome): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- a piece after the other
      const { bytesWritten } = await writeSome(fd, rest);
      rest = rest.subarray(bytesWritten);
    } catch (error) {
      // Whoever made the pipe has set it not to block.
      if (errorCode(error) !== "EAGAIN") throw error;
      // oxlint-disable-next-line no-await-in-loop
      await Bun.sleep(PAUSE_MS);
    }
  }
}

/**
 * Calls `onLeft` when a pipe has lost its reader, which nothing else tells before something is written. Bun watches any
 * descriptor that it is to take for a connected socket; this one is opened anew, so that it can be set not to block.
 */
async function watchReader(fd: number, onLeft: () => void): Promise<void> {
  try {
    if (!fstatSync(fd).isFIFO()) return;
    const pipe = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    // The types lack `fd`, by which node:net hands a socket to Bun.connect.
    await Bun.connect({ fd: pipe, socket: { data: () => {}, close: onLeft } } as object as Bun.UnixSocketOptions);
  } catch {
    // It is seen when something is written.
  }
}
