import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readLines } from "./lines";
import { waitUntil } from "./wait";

export interface SidecarOptions {
  /** Another executable than dist/livenessprobe. */
  readonly executable?: string;
  /** What it is told that it was started as. */
  readonly argv0?: string;
  /** All of the sidecar's environment: nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** The user and the group to run as; setting it takes root. */
  readonly uid?: number;
  readonly cwd?: string;
  /**
   * What becomes of log lines once the sidecar listens: `collect` keeps them in `logLines`, `ignore` reads and drops
   * them, `unread` leaves them in the pipe, which fills up.
   */
  readonly stderr?: Reading;
  /** The same for standard output, whose lines are in `outLines`. */
  readonly stdout?: Reading;
  /** The line that says where the sidecar listens; its first group is the address. */
  readonly listening?: RegExp;
}

type Reading = "collect" | "ignore" | "unread";

export interface Sidecar extends AsyncDisposable {
  readonly pid: number;
  /** Without a slash at its end. */
  readonly url: string;
  /** What is on standard error. */
  readonly logLines: readonly string[];
  /** What is on standard output: nothing, unless the log is split. */
  readonly outLines: readonly string[];
  readonly exited: Promise<SidecarExit>;
  /** Asks on a connection of its own, as the kubelet does. */
  get(path: string, init?: BunFetchRequestInit): Promise<Response>;
  /** The first log line on either stream, past or to come, for which `predicate` holds. */
  waitForLog(predicate: (line: string) => boolean): Promise<string>;
  /** How many file descriptors are open. */
  fds(): number;
  /** Resident anonymous memory, in KiB: unlike the whole resident set it holds no page cache. */
  anonymousKib(): number;
  signal(signal: NodeJS.Signals): void;
}

/** How a process ended: with a code, or by a signal. */
export interface SidecarExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | number | null;
}

export interface FinishedSidecar extends SidecarExit {
  readonly stdout: string;
  readonly stderr: string;
}

const EXECUTABLE = join(import.meta.dirname, "../../dist/livenessprobe");

// `"Listening" address="[::]:9808"` as text, `"msg":"Listening",...,"address":"[::]:9808"` as JSON.
const LISTENING = /[Ll]istening.*?"?address"?[=:]"([^"]+)"/;

/**
 * Starts the built executable and returns once it says where it listens; give it port 0.
 * Dispose of it to kill it.
 *
 * @throws where it ends before it listens, with what it wrote
 */
export async function startSidecar(args: readonly string[], options: SidecarOptions = {}): Promise<Sidecar> {
  const { stderr = "collect", stdout = "collect", listening = LISTENING } = options;
  const child = spawn(args, options);
  const logLines: string[] = [];
  const outLines: string[] = [];
  let url: string | undefined;
  const collect = (stream: ReadableStream<Uint8Array>, lines: string[], how: Reading): Promise<void> =>
    readLines(
      stream,
      (line) => {
        if (url === undefined || how === "collect") lines.push(line);
        url ??= urlOf(listening.exec(line)?.[1]);
      },
      () => how === "unread" && url !== undefined,
    );
  const reading = Promise.all([collect(child.stderr, logLines, stderr), collect(child.stdout, outLines, stdout)]);
  let ended = false;
  const exited = reading.then(() => exitOf(child)).finally(() => (ended = true));
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  const said = (): string => `it said:\n${logLines.slice(-20).join("\n")}`;
  try {
    await waitUntil(
      () => url ?? ended,
      () => `the sidecar to listen; ${said()}`,
    );
  } catch (error) {
    await kill();
    throw error;
  }
  if (url === undefined) throw new Error(`the sidecar ended with ${JSON.stringify(await exited)} early; ${said()}`);
  const base = url;
  return {
    pid: child.pid,
    url: base,
    logLines,
    outLines,
    exited,
    get: (path, init) => fetch(`${base}${path}`, { keepalive: false, ...init }),
    waitForLog: (predicate) =>
      waitUntil(
        () => logLines.find(predicate) ?? outLines.find(predicate),
        () => `a log line; ${said()}`,
      ),
    fds: () => readdirSync(`/proc/${child.pid}/fd`).length,
    anonymousKib: () => anonymousKib(child.pid),
    signal: (signal) => child.kill(signal),
    [Symbol.asyncDispose]: kill,
  };
}

/** Runs the built executable to its end: for usage errors, help and commands that answer and leave. */
export async function runSidecar(args: readonly string[], options: SidecarOptions = {}): Promise<FinishedSidecar> {
  const child = spawn(args, options);
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { ...(await exitOf(child)), stdout, stderr };
}

function spawn(args: readonly string[], { executable = EXECUTABLE, argv0, uid, cwd, env = {} }: SidecarOptions) {
  return Bun.spawn([executable, ...args], {
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ...(argv0 === undefined ? {} : { argv0 }),
    ...(uid === undefined ? {} : { uid, gid: uid }),
    ...(cwd === undefined ? {} : { cwd }),
  });
}

async function exitOf(child: Bun.Subprocess): Promise<SidecarExit> {
  const code = await child.exited;
  return child.signalCode === null ? { code, signal: null } : { code: null, signal: child.signalCode };
}

/** Where to reach an address that was listened on: a wildcard is reached through loopback. */
function urlOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : `http://${address.replace(/^(\[::\]|0\.0\.0\.0)?:/, "127.0.0.1:")}`;
}

function anonymousKib(pid: number): number {
  const line = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (line === null) throw new Error(`/proc/${pid}/status has no line RssAnon`);
  return Number(line[1]);
}
