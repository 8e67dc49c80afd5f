import { readFileSync } from "node:fs";

/** Prints what comes next, and the command that a reader would type for it. */
export function say(what: string, command?: string): void {
  console.log(`\n${what}`);
  if (command !== undefined) console.log(`  $ ${command}`);
}

export function show(line: string): void {
  console.log(`  ${line}`);
}

/**
 * Runs a demo whose processes and files `cleanup` removes, on Ctrl-C too.
 *
 * @returns the exit code
 */
export async function runDemo(demo: (cleanup: AsyncDisposableStack) => Promise<void>): Promise<number> {
  await using cleanup = new AsyncDisposableStack();
  const { promise: interrupted, resolve } = Promise.withResolvers<number>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(130));
  return await Promise.race([demo(cleanup).then(() => 0), interrupted]);
}

/** Once the kernel has stopped a process: `T` is the state behind the name in proc_pid_stat(5). */
export async function stopped(pid: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one look after the other
  while (!/\) T /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) await Bun.sleep(5);
}
