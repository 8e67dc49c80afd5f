import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { attempt } from "../base/errors";

export type StreamName = "standard output" | "standard error";

/** Takes one line, with its newline. */
type Sink = (line: string) => void;

/**
 * The sinks for info lines and for warnings and errors: both standard error, unless the log is split.
 *
 * @param notice the text of the line that tells of dropped lines, with its newline
 */
export function openSinks(
  split: boolean,
  notice: (stream: StreamName, dropped: number) => string,
): { readonly info: Sink; readonly error: Sink } {
  const error = openSink(STDERR, (dropped) => notice("standard error", dropped));
  // Two sinks on one pipe could break each other's lines.
  if (!split || isSameFile(STDOUT, STDERR)) return { info: error, error };
  return { info: openSink(STDOUT, (dropped) => notice("standard output", dropped)), error };
}

/**
 * Writes lines to a standard stream without ever blocking or throwing: a container runtime that does not read must not
 * stop a probe.
 *
 * A line that cannot be written at once is dropped and counted. The next line that can be written follows a notice with
 * the number of dropped lines.
 */
function openSink(fd: typeof STDOUT | typeof STDERR, notice: (dropped: number) => string): Sink {
  // Writing to a file never blocks. A description of our own has its own offset: processes that share the file would
  // overwrite our lines.
  const isFile = attempt(() => fstatSync(fd).isFile()) ?? false;
  const own = isFile ? fd : attempt(() => openOwnDescription(fd));
  const tryWrite = own === undefined ? streamWriter(fd) : descriptorWriter(own);
  let dropped = 0;
  return (line) => {
    if (tryWrite(dropped === 0 ? line : notice(dropped) + line)) dropped = 0;
    else dropped += 1;
  };
}

const STDOUT = 1;
const STDERR = 2;

function isSameFile(one: number, other: number): boolean {
  const [a, b] = [one, other].map((fd) => attempt(() => fstatSync(fd)));
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino;
}

/** Takes all of a text (true) or nothing of it. */
type TryWrite = (text: string) => boolean;

/**
 * Opens a standard stream again, because O_NONBLOCK belongs to the open file description, which other processes may
 * share. Throws for a socket (ENXIO), for another user's pipe or terminal (EACCES) and without /proc (ENOENT).
 */
function openOwnDescription(fd: number): number {
  const { O_WRONLY, O_NONBLOCK, O_APPEND, O_NOCTTY } = constants;
  return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_APPEND | O_NOCTTY);
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

/**
 * The number of bytes taken: 0 when the pipe is full (EAGAIN), its reader is gone (EPIPE) or the disk is full (ENOSPC).
 */
function writeSome(fd: number, bytes: Uint8Array): number {
  return bytes.length === 0 ? 0 : (attempt(() => writeSync(fd, bytes)) ?? 0);
}

// Bun's process.stdout and process.stderr do not block either (measured with 1.4.5, sockets and pipes), but buffer what
// does not fit. So after the first such line a stream gets nothing more until it has drained.
function streamWriter(fd: typeof STDOUT | typeof STDERR): TryWrite {
  const stream = fd === STDOUT ? process.stdout : process.stderr;
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
