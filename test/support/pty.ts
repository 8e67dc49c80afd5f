import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";

export interface PtyOptions {
  readonly columns: number;
  readonly rows?: number;
  /** All of the environment: nothing is inherited but PATH. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The stream that does not go to the terminal but is kept apart, as by `2>file`. */
  readonly apart?: "stdout" | "stderr";
}

export interface FinishedInPty {
  readonly code: number | null;
  /** All that came through the terminal, with `\n` for the `\r\n` that it makes of each. */
  readonly output: string;
  /** What went to the stream that was kept apart. */
  readonly apart: string;
}

/** After which a command that does not end is killed. */
const BOUND_MS = 60_000;

export interface RunningInPty {
  readonly pid: number;
  /** All that has come through the terminal so far. */
  readonly output: () => string;
  /** Types, as a person does. */
  readonly type: (text: string) => void;
  /** Gives the terminal another size. */
  readonly resize: (columns: number, rows: number) => void;
  readonly ended: Promise<FinishedInPty>;
}

/**
 * Runs a command to its end in a real pseudo-terminal: what is its standard input, output and error, but for one that
 * is kept apart.
 */
export function runInPty(command: readonly string[], options: PtyOptions): Promise<FinishedInPty> {
  return startInPty(command, options).ended;
}

/** Starts a command as `runInPty` does. It is killed when it has not ended after a minute. */
export function startInPty(command: readonly string[], options: PtyOptions): RunningInPty {
  const { columns, rows = 24, env = { TERM: "xterm-256color" }, cwd, apart } = options;
  const directory = temporaryDirectory();
  const file = join(directory.path, "apart");
  const redirection = { stdout: '>"$0"', stderr: '2>"$0"', none: "" }[apart ?? "none"];
  const chunks: Uint8Array[] = [];
  const output = (): string => Buffer.concat(chunks).toString().replaceAll("\r\n", "\n");
  const drained = Promise.withResolvers<void>();
  // The terminal of `spawn` ends when the last process that has it open does: what was written is read to its end.
  const child = Bun.spawn(["/bin/sh", "-c", `exec "$@" ${redirection}`, file, ...command], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    ...(cwd === undefined ? {} : { cwd }),
    timeout: BOUND_MS,
    killSignal: "SIGKILL",
    terminal: {
      cols: columns,
      rows,
      data: (_, chunk) => void chunks.push(chunk.slice()),
      exit: () => drained.resolve(),
    },
  });
  const end = async (): Promise<FinishedInPty> => {
    using _ = directory;
    await Promise.all([child.exited, drained.promise]);
    child.terminal?.close();
    return { code: child.exitCode, output: output(), apart: apart === undefined ? "" : readFileSync(file, "utf8") };
  };
  const resize = (cols: number, lines: number): void => child.terminal?.resize(cols, lines);
  const type = (text: string): void => void child.terminal?.write(text);
  return { pid: child.pid, output, type, resize, ended: end() };
}

/**
 * What stays on the screen of what was written: a carriage return goes back to the line's beginning, and what follows
 * overwrites what was there, a character a column. Spaces at the end of a line are not seen. It knows no escape
 * sequences.
 */
export function screenOf(output: string): string {
  return output.split("\n").map(overwritten).join("\n");
}

function overwritten(line: string): string {
  const left = line.split("\r").reduce((before, text) => text + before.slice(text.length), "");
  return left.trimEnd();
}
