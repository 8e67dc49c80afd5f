import { readlinkSync } from "node:fs";
import type { Edge } from "./edge";
import { errorCode } from "./errors";
import type { TimeZone } from "./log/record";
import { writeWhole, writeWholeOrDrop } from "./write-whole";

const STDOUT = 1;
const STDERR = 2;

async function main(): Promise<void> {
  forgetForeignEnvironment();
  process.on("uncaughtException", failUnexpectedly);
  process.on("unhandledRejection", failUnexpectedly);
  // Imported late, because grpc-js reads its environment when it is loaded.
  const { run } = await import("./cli");
  process.exit(await run(process.argv.slice(2), openEdge()));
}

function openEdge(): Edge {
  const startedAtMs = performance.timeOrigin;
  return {
    writeOut: (text) => writeWhole(STDOUT, text),
    writeError: (text) => writeWholeOrDrop(STDERR, text),
    streamFacts: (name) => {
      const { isTTY, columns } = name === "out" ? process.stdout : process.stderr;
      const { NO_COLOR, TERM } = process.env;
      return { isTerminal: isTTY === true, columns, env: { NO_COLOR, TERM } };
    },
    stopRequested: stopSignal(),
    pid: process.pid,
    uid: process.geteuid?.() ?? 0,
    timeZone: readTimeZone(),
    startTimeSeconds: startedAtMs / 1_000,
  };
}

/** Resolves at the first SIGTERM or SIGINT; the second, of either, ends the process at once, with the exit code a shell reports for it. */
function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  // Handlers are what makes these signals work for process 1, which has no default action for them.
  for (const [signal, number] of [
    ["SIGTERM", 15],
    ["SIGINT", 2],
  ] as const) {
    process.on(signal, () => {
      if (asked) process.exit(128 + number);
      asked = true;
      resolve();
    });
  }
  return promise;
}

/** A fault of ours that nothing below has foreseen: one line, and a new start, for what is left may answer wrongly. */
function failUnexpectedly(error: unknown): never {
  const where = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const line = where.replace(/\s*\n\s*/g, " | ").slice(0, 1_024);
  process.stderr.write(`livenessprobe: unexpected error, please report it as a bug: ${line}\n`);
  process.exit(1);
}

/** Whether the local time is UTC by name: by TZ or, without it, by /etc/localtime, which a minimal image does not have. */
function readTimeZone(): TimeZone {
  const named = process.env["TZ"] ?? systemTimeZone();
  return /^:?(|UTC0?|.*\/UTC)$/.test(named) ? "utc" : "local";
}

function systemTimeZone(): string {
  try {
    return readlinkSync("/etc/localtime");
  } catch (error) {
    // A file in place of the link (EINVAL) may be any zone.
    return errorCode(error) === "ENOENT" ? "UTC" : "unknown";
  }
}

/** A pod's environment must change nothing: grpc-js would trace to standard error, and find proxies, by these. */
function forgetForeignEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (/^(grpc_|http_proxy$|https_proxy$|all_proxy$|no_proxy$)/i.test(name)) delete process.env[name];
  }
}

void main();
