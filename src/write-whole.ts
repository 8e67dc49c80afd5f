import { writeSync } from "node:fs";
import { errorCode } from "./errors";

/** While a pipe is full. */
const PAUSE_MS = 5;

/**
 * Writes all of a text before it returns, however slowly it is read: the process may end right after. Where nobody reads any more,
 * as behind `| head`, the rest is dropped.
 *
 * @param write as `fs.writeSync`: returns how many bytes it took, or throws
 */
export function writeWhole(
  fd: number,
  text: string,
  write: (fd: number, bytes: Uint8Array) => number = writeSync,
): void {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(write(fd, rest));
    } catch (error) {
      const code = errorCode(error);
      if (code === "EPIPE") return;
      // Whoever made the pipe has set it not to block.
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(PAUSE_MS);
    }
  }
}

/** The same for errors: where standard error cannot be written to, there is nowhere to say so, and the rest is dropped. */
export function writeWholeOrDrop(
  fd: number,
  text: string,
  write: (fd: number, bytes: Uint8Array) => number = writeSync,
): void {
  try {
    writeWhole(fd, text, write);
  } catch {
    // The exit code remains.
  }
}
