import { readlinkSync } from "node:fs";
import { isatty } from "node:tty";
import type { ProcessContext } from "./cli/command";
import { errorCode, errorText } from "./base/errors";
import { readText } from "./base/reads";
import type { TimeZone } from "./log/format";
import { createOutput, type Output, STDERR, STDOUT } from "./cli/output";
import { programWords } from "./base/shell-command";
import { escapeLines } from "./base/text";

async function main(): Promise<void> {
  forgetForeignEnvironment();
  process.on("uncaughtException", failUnexpectedly);
  process.on("unhandledRejection", failUnexpectedly);
  const output = createOutput();
  const signals = handleSignals(output);
  // Imported late, because grpc-js reads its environment when it is loaded.
  const { run } = await import("./commands/run");
  const code = await run(process.argv.slice(2), openContext(output, signals));
  const written = writeAll(output, code);
  const late = async (): Promise<number> => (await Bun.sleep(LAST_WORDS_MS), code);
  signals.exit(await (signals.isStopping() ? Promise.race([written, late()]) : written));
}

/** The exit code, once everything is written; 1 if standard output fails, for example on a full disk. */
async function writeAll(output: Output, code: number): Promise<number> {
  try {
    await output.written();
    return code;
  } catch (error) {
    process.stderr.write(`cannot write to standard output: ${errorCode(error) ?? errorText(error)}\n`);
    return 1;
  }
}

function openContext(output: Output, { stopRequested, onInterrupt }: Signals): ProcessContext {
  const startedAtMs = performance.timeOrigin;
  return {
    writeOut: (text) => output.write(STDOUT, escapeLines(text, isatty(STDOUT))),
    writeError: (text) => output.write(STDERR, escapeLines(text, isatty(STDERR))),
    streamFacts: (name) => {
      const { isTTY, columns, rows } = name === "out" ? process.stdout : process.stderr;
      const { NO_COLOR, TERM } = process.env;
      return { isTerminal: isTTY === true, columns, rows, env: { NO_COLOR, TERM } };
    },
    onResize: (call) => void process.stdout.on("resize", call),
    outIsRead: output.isRead,
    stopRequested,
    onInterrupt,
    // Not process.argv: in a compiled executable it begins with words of Bun's, and lacks the words of a loader.
    program: () => programWords(readText("/proc/self/cmdline"), process.argv.length - 2),
    pid: process.pid,
    uid: process.geteuid?.() ?? 0,
    timeZone: readTimeZone(),
    startTimeSeconds: startedAtMs / 1_000,
  };
}

interface Signals extends Pick<ProcessContext, "stopRequested" | "onInterrupt"> {
  /** Whether a signal has resolved `stopRequested`. */
  readonly isStopping: () => boolean;
  /** Ends the process, unless a signal is about to. */
  readonly exit: (code: number) => void;
}

/** How long the last output may take, for example to a terminal that nobody reads. */
const LAST_WORDS_MS = 50;

/**
 * SIGTERM and SIGINT end the process with the exit code that a shell reports for them. If a command waits for
 * `stopRequested`, the first signal resolves that instead, and the second ends the process.
 */
function handleSignals(output: Output): Signals {
  const undoes = new Set<() => void>();
  let stop: (() => void) | undefined;
  let stopping = false;
  let ending = false;
  const interrupt = (code: number): void => {
    if (ending) process.exit(code);
    ending = true;
    for (const undo of undoes) undo();
    output.close();
    const exit = (): never => process.exit(code);
    void Promise.race([output.written(), Bun.sleep(LAST_WORDS_MS)]).then(exit, exit);
  };
  // Process 1 has no default action for these signals.
  for (const [signal, number] of [
    ["SIGTERM", 15],
    ["SIGINT", 2],
  ] as const) {
    process.on(signal, () => {
      const tell = stop ?? (() => interrupt(128 + number));
      stop = undefined;
      tell();
    });
  }
  return {
    stopRequested: async () => {
      await new Promise<void>((resolve) => (stop = resolve));
      stopping = true;
    },
    isStopping: () => stopping,
    onInterrupt: (undo) => {
      undoes.add(undo);
      return { [Symbol.dispose]: () => void undoes.delete(undo) };
    },
    exit: (code) => {
      if (!ending) process.exit(code);
    },
  };
}

/** A bug: one line, and exit, because the process may be in a wrong state. */
function failUnexpectedly(error: unknown): never {
  const where = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const line = where.replace(/\s*\n\s*/g, " | ").slice(0, 1_024);
  process.stderr.write(`livenessprobe: unexpected error, please report it as a bug: ${escapeLines(line, false)}\n`);
  process.exit(1);
}

/** Whether the local time zone is UTC, by TZ or else by /etc/localtime, which a minimal image lacks. */
function readTimeZone(): TimeZone {
  const named = process.env["TZ"] ?? systemTimeZone();
  return /^:?(|UTC0?|.*\/UTC)$/.test(named) ? "utc" : "local";
}

function systemTimeZone(): string {
  try {
    return readlinkSync("/etc/localtime");
  } catch (error) {
    // A file instead of a link (EINVAL) may be any zone.
    return errorCode(error) === "ENOENT" ? "UTC" : "unknown";
  }
}

/** With these variables grpc-js would trace to standard error or use a proxy; a pod's environment must not matter. */
function forgetForeignEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (/^(grpc_|http_proxy$|https_proxy$|all_proxy$|no_proxy$)/i.test(name)) delete process.env[name];
  }
}

void main();
