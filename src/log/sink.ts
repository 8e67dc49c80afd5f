import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { attempt } from "../base/errors";

/**
 * Writes lines to standard error without ever blocking or throwing: a container runtime that does not read must not stop a probe.
 *
 * A line that cannot be written at once is dropped and counted. The next line that can be written follows a notice with
 * the number of dropped lines.
 *
 * @param notice the text of that line, with its newline
 * @returns takes one line, with its newline
 */
export function openStderrSink(notice: (dropped: number) => string): (line: string) => void {
  // Writing to a file never blocks. A description of our own has its own offset: processes that share the file would
  // overwrite our lines.
  const isFile = attempt(() => fstatSync(STDERR).isFile()) ?? false;
  const own = isFile ? STDERR : attempt(openOwnDescription);
  const tryWrite = own === undefined ? streamWriter(process.stderr) : descriptorWriter(own);
  let dropped = 0;
  return (line) => {
    if (tryWrite(dropped === 0 ? line : notice(dropped) + line)) dropped = 0;
    else dropped += 1;
  };
}

const STDERR = 2;

/** Takes all of a text (true) or nothing of it. */
type TryWrite = (text: string) => boolean;

/**
 * Opens standard error again, because O_NONBLOCK belongs to the open file description, which other processes may share.
 * Throws for a socket (ENXIO), for another user's pipe or terminal (EACCES) and without /proc (ENOENT).
 */
function openOwnDescription(): number {
  const { O_WRONLY, O_NONBLOCK, O_APPEND, O_NOCTTY } = constants;
  return openSync("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_APPEND | O_NOCTTY);
}

function descriptorWriter(fd: number): TryWrite {
  // The rest of a line that a pipe took in part. It must be written before the next line.
  let rest = new Uint8Array(0);
  return (text) => {
    rest = rest.subarray(writeSome(fd, rest));
    if (rest.length > 0) return false;
    const bytes = new TextEncoder().encode(text);
    const written = writeSome(fd, bytes);
    if (written > 0) rest = bytes.subarray(written);
    return written > 0;
  };
}

/** The number of bytes taken: 0 when the pipe is full (EAGAIN), its reader is gone (EPIPE) or the disk is full (ENOSPC). */
function writeSome(fd: number, bytes: Uint8Array): number {
  return bytes.length === 0 ? 0 : (attempt(() => writeSync(fd, bytes)) ?? 0);
}

// Bun's process.stderr does not block either (measured with 1.4.5, sockets and pipes), but buffers what does not fit. So
// after the first such line it gets nothing more until it has drained.
function streamWriter(stream: NodeJS.WriteStream): TryWrite {
  let full = false;
  stream.on("drain", () => (full = false));
  // Without a listener for this event, a reader that is gone would end the process.
  stream.on("error", () => (full = true));
  return (text) => {
    if (full) return false;
    full = !stream.write(text);
    return true;
  };
}
