import { basename } from "node:path";

/** A program and how to start it: words before its own arguments, and variables beside the inherited ones. */
export interface Program {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Beside the inherited variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a command to its end.
 *
 * @returns what it wrote to standard output, without the white space around it
 * @throws with its standard error, where it exits with anything but 0
 */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const cwd = options.cwd ?? process.cwd();
  const child = Bun.spawn([...command], {
    cwd,
    env: { ...process.env, ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  if (code !== 0) throw new Error(`${basename(command[0] ?? "")} in ${cwd} exited with ${code}: ${stderr.trim()}`);
  return stdout.trim();
}

/** `run`, of a program with arguments of the caller's. */
export async function runProgram(program: Program, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return run([...program.command, ...args], { ...options, env: { ...program.env, ...options.env } });
}
