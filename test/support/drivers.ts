import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "../../scripts/run";
import { type DriverBuild, buildGoDriver, buildPythonDriver, usableProgram } from "./driver-builds";
import { forbidOthers, type NodeGetInfoPolicy } from "./csi-methods";
import { type DriverCommand, type DriverEvent, type DriverMode, parseDriverEvent } from "./driver-protocol";
import { readLines } from "./lines";
import { temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "./wait";

/** A real driver for each gRPC implementation that drivers are written with. */
export type Implementation = "go" | "python" | "grpc-js";

export interface DriverOptions {
  /** How Probe answers at first; `ready` where absent. */
  readonly mode?: DriverMode;
  readonly name?: string;
  readonly vendorVersion?: string;
  /**
   * By the names of the CSI specification, or by number; a few of each where absent. C-core knows those few names
   * alone.
   */
  readonly capabilities?: {
    readonly plugin?: readonly (string | number)[];
    readonly node?: readonly (string | number)[];
    readonly controller?: readonly (string | number)[];
  };
  /** Whether it may be asked NodeGetInfo, `forbidden` where absent. What no driver may ever be asked is always so. */
  readonly nodeGetInfo?: NodeGetInfoPolicy;
  /**
   * Where to listen; in a fresh directory of its own where absent. The caller's directory is the caller's to remove.
   */
  readonly socketPath?: string;
}

export interface RunningDriver extends AsyncDisposable {
  readonly implementation: Implementation;
  readonly name: string;
  readonly socketPath: string;
  readonly pid: number;
  /** What the driver told of so far, oldest first. */
  readonly events: readonly DriverEvent[];
  /** Gives a command, and returns once the driver obeys it. */
  send(command: DriverCommand): Promise<void>;
  /** The first event, past or to come, for which `predicate` holds. */
  waitFor(predicate: (event: DriverEvent) => boolean): Promise<DriverEvent>;
  /** Stops the whole process (SIGSTOP): connections still enter its backlog, nothing answers. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends it with SIGTERM, upon which it removes its socket; its exit code. */
  stop(): Promise<number>;
  /** Ends it with SIGKILL: the socket stays behind, stale. */
  kill(): Promise<void>;
}

// Once a process: each test file asks, and what is missing is to be said once.
const programs = new Map<Implementation, Promise<Program | undefined>>();

/**
 * The implementations that this machine can run, built where need be.
 * Call it at the top of a test file: a first build takes longer than a test may.
 *
 * @throws with CI=true, where one is missing
 */
export async function availableDrivers(): Promise<readonly Implementation[]> {
  const all = ["go", "python", "grpc-js"] as const;
  const found = await Promise.all(all.map(programOf));
  return all.filter((_, index) => found[index] !== undefined);
}

/**
 * Starts a driver and returns once it listens. Dispose of it to end the process and to remove its directory; that fails
 * where it was asked something else than csi-methods.ts allows.
 */
export async function startDriver(implementation: Implementation, options: DriverOptions = {}): Promise<RunningDriver> {
  const program = await programOf(implementation);
  if (program === undefined) throw new Error(`the ${implementation} driver cannot be built here: see availableDrivers`);

  const directory = options.socketPath === undefined ? temporaryDirectory() : undefined;
  const socketPath = options.socketPath ?? join(directory?.path ?? "", "csi.sock");
  const { name = `${implementation}.csi.test`, nodeGetInfo = "forbidden" } = options;
  const driver = spawnDriver(program, implementation, ["--socket", socketPath, "--name", name, ...flags(options)]);
  const dispose = async (): Promise<void> => {
    await driver.kill();
    directory?.[Symbol.dispose]();
    const asked = driver.events.flatMap((event) => (event.event === "rpc" ? event.method : []));
    forbidOthers(name, asked, nodeGetInfo);
  };
  try {
    await driver.waitFor(({ event }) => event === "listening");
  } catch (error) {
    await dispose();
    throw error;
  }
  return { ...driver, implementation, name, socketPath, [Symbol.asyncDispose]: dispose };
}

function flags({ mode, vendorVersion, capabilities = {} }: DriverOptions): readonly string[] {
  const given = [
    ["--mode", mode],
    ["--vendor-version", vendorVersion],
    ["--plugin-capabilities", capabilities.plugin?.join(",")],
    ["--node-capabilities", capabilities.node?.join(",")],
    ["--controller-capabilities", capabilities.controller?.join(",")],
  ] as const;
  return given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}

type DriverProcess = Pick<RunningDriver, "pid" | "events" | "send" | "waitFor" | "pause" | "resume" | "stop" | "kill">;

function spawnDriver(program: Program, implementation: Implementation, args: readonly string[]): DriverProcess {
  const child = Bun.spawn([...program.command, ...args], {
    env: { ...process.env, ...program.env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const events: DriverEvent[] = [];
  const output = Promise.all([
    readLines(child.stdout, (line) => events.push(parseDriverEvent(line))),
    child.stderr.text(),
  ]);
  let ended = false;
  const exited = output.then(() => child.exited).finally(() => (ended = true));

  const told = (): string =>
    `an event of the ${implementation} driver; it told of ${JSON.stringify(events.slice(-20))}`;
  const waitFor = async (predicate: (event: DriverEvent) => boolean, from = 0) => {
    const find = (): DriverEvent | undefined => events.slice(from).find(predicate);
    await waitUntil(() => ended || find(), told);
    return find() ?? Promise.reject(new Error(`the driver ended, in vain for ${told()}: ${(await output)[1]}`));
  };
  const end = (signal: "SIGTERM" | "SIGKILL"): Promise<number> => {
    child.kill(signal);
    return exited;
  };
  return {
    pid: child.pid,
    events,
    waitFor: (predicate) => waitFor(predicate),
    send: async (command) => {
      const from = events.length;
      child.stdin.write(`${command}\n`);
      await child.stdin.flush();
      await waitFor((event) => event.event === "command" && event.line === command, from);
    },
    pause: async () => {
      child.kill("SIGSTOP");
      await waitUntil(() => isStopped(child.pid), "the driver to be stopped by SIGSTOP");
    },
    resume: () => child.kill("SIGCONT"),
    stop: () => end("SIGTERM"),
    kill: async () => void (await end("SIGKILL")),
  };
}

function programOf(implementation: Implementation): Promise<Program | undefined> {
  const program =
    programs.get(implementation) ??
    build(implementation).then((built) => usableProgram(`the ${implementation} driver`, built));
  programs.set(implementation, program);
  return program;
}

async function build(implementation: Implementation): Promise<DriverBuild> {
  switch (implementation) {
    case "go":
      return buildGoDriver();
    case "python":
      return buildPythonDriver();
    case "grpc-js": {
      const command = [process.execPath, join(import.meta.dirname, "grpcjs-driver.ts")];
      return { kind: "built", program: { command, env: {} } };
    }
  }
  return implementation satisfies never;
}

/** Whether all of a process is stopped: `T` is the state in the third field of proc_pid_stat(5), behind the name. */
function isStopped(pid: number): boolean {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.startsWith("T") === true;
}
