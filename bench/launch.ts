import { realpathSync } from "node:fs";
import { freePort } from "../test/support/tcp-client";
import type { Cleanup } from "./cleanup";
import { once } from "./once";
import type { Program } from "./programs";

export interface Running extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** When it was started, on the clock of `performance.now()`. */
  readonly startedAt: number;
  /** Whether it has ended, by itself or by the kernel's hand. */
  readonly ended: () => boolean;
}

export interface LaunchOptions {
  readonly csiAddress: string;
  readonly flags?: readonly string[];
  readonly cleanup: Cleanup;
}

/** Where and how a program is confined. */
export interface Confinement {
  /** Directories with `cgroup.procs` in them to join. */
  readonly cgroups: readonly string[];
  /** Files to see in the place of others, which takes a mount namespace; none takes none. */
  readonly overlays: readonly Overlay[];
  /** Called when all is prepared, right before the program is executed. */
  readonly beforeExec: () => Promise<void>;
}

export interface Overlay {
  readonly file: string;
  readonly insteadOf: string;
}

/** Starts a program, its log thrown away. It may not listen yet. */
export async function launch(program: Program, options: LaunchOptions): Promise<Running> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = Bun.spawn([program.path, ...flagsFor(port, options)], {
    env: program.env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  return running(child, port, startedAt, options.cleanup);
}

/** Starts a program that is confined: a shell prepares everything, waits for the word, and becomes the program. */
export async function launchConfined(
  program: Program,
  confinement: Confinement,
  options: LaunchOptions,
): Promise<Running> {
  const port = await freePort();
  const { overlays, cgroups } = confinement;
  const script = [
    "set -e",
    ...overlays.map(({ file, insteadOf }) => `mount --bind ${quote(file)} ${quote(realpathSync(insteadOf))}`),
    "echo ready",
    "read -r word",
    ...cgroups.map((directory) => `echo $$ > ${quote(`${directory}/cgroup.procs`)}`),
    'exec "$0" "$@" </dev/null >/dev/null 2>&1',
  ].join("\n");
  const shell = [realpathSync("/bin/sh"), "-c", script, program.path, ...flagsFor(port, options)];
  const command = overlays.length === 0 ? shell : ["unshare", "--mount", "--propagation", "private", ...shell];
  const child = Bun.spawn(command, {
    env: { ...program.env, PATH: process.env["PATH"] },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const started = running(child, port, 0, options.cleanup);
  try {
    const { value } = await child.stdout.getReader().read();
    if (value === undefined) throw new Error(`cannot confine ${program.path}: ${(await child.stderr.text()).trim()}`);
    await confinement.beforeExec();
    const startedAt = performance.now();
    child.stdin.write("go\n");
    await child.stdin.end();
    return { ...started, startedAt };
  } catch (error) {
    await started[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Asks until the answer is 200.
 *
 * @returns the milliseconds from its start to then; undefined where it takes longer than `boundMs`, or ends
 */
export async function firstReadyMs(program: Running, boundMs: number): Promise<number | undefined> {
  while (!program.ended() && performance.now() - program.startedAt < boundMs) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
    const status = await bounded(program.port, program.startedAt + boundMs - performance.now());
    const elapsedMs = performance.now() - program.startedAt;
    if (status === 200 && elapsedMs <= boundMs) return elapsedMs;
    // oxlint-disable-next-line no-await-in-loop
    await Bun.sleep(0.5);
  }
  return undefined;
}

/** The status of one answer; undefined where there is none within `boundMs`. */
export async function bounded(port: number, boundMs: number): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), boundMs);
  try {
    return await Promise.race([
      once(port).then(
        ({ status }) => status,
        () => undefined,
      ),
      promise,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function flagsFor(port: number, { csiAddress, flags = [] }: LaunchOptions): readonly string[] {
  return [`--csi-address=${csiAddress}`, `--http-endpoint=127.0.0.1:${port}`, ...flags];
}

function running(child: Bun.Subprocess, port: number, startedAt: number, cleanup: Cleanup): Running {
  const kill = cleanup.add(() => child.kill("SIGKILL"));
  return {
    pid: child.pid,
    port,
    startedAt,
    ended: () => child.exitCode !== null || child.signalCode !== null,
    [Symbol.asyncDispose]: async () => {
      kill[Symbol.dispose]();
      await child.exited;
    },
  };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
