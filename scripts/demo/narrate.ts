import { readFileSync } from "node:fs";
import type { SampleServer } from "./sample";

/** Prints what comes next, and the command that a reader would type for it. */
export function say(what: string, command?: string): void {
  console.log(`\n${what}`);
  if (command !== undefined) console.log(`  $ ${command}`);
}

export function show(line: string): void {
  console.log(`  ${line}`);
}

/** Shows the metrics that are wanted. */
export async function showMetrics(server: SampleServer, wanted: RegExp): Promise<void> {
  say("A few of its metrics:", `curl ${server.url}/metrics`);
  const metrics = await (await server.get("/metrics")).text();
  for (const line of metrics.split("\n").filter((candidate) => wanted.test(candidate))) show(line);
}

/**
 * Stops it as a pod's end does, and shows what it logs after its first `before` lines.
 *
 * @throws where it does not end with 0
 */
export async function stop(server: SampleServer, before: number): Promise<void> {
  server.signal("SIGTERM");
  const code = await server.exited;
  for (const line of server.lines.slice(before)) show(line);
  show(`exit code ${code}`);
  if (code !== 0) throw new Error(`expected exit code 0, got ${code}`);
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
