import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";

/** A child process that tells of itself in lines. Dispose of it to kill it. */
export interface LineProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it wrote so far, oldest first. */
  readonly lines: readonly string[];
  /** Its exit code; null where a signal ended it. */
  readonly exited: Promise<number | null>;
  /**
   * The first line, past or to come, that matches.
   *
   * @throws where the process ends first or the time is up, with what it wrote
   */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  signal(signal: NodeJS.Signals): void;
}

export interface LineProcessOptions {
  /** Which of its outputs is read; the other one is dropped. */
  readonly read: "stdout" | "stderr";
  /** All of its environment; this process's own where absent. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Ends a hang: an interpreter on a busy machine takes seconds to start. */
const WAIT_BOUND_MS = 60_000;

/** Starts a program. Its standard input ends when this process does, however that comes about. */
export function startLineProcess(command: readonly string[], { read, env }: LineProcessOptions): LineProcess {
  const [program = "", ...args] = command;
  const outputs = (["stdout", "stderr"] as const).map((name) => (name === read ? "pipe" : "ignore"));
  const child = spawn(program, args, { env: env ?? process.env, stdio: ["pipe", ...outputs] });
  const lines: string[] = [];
  const news = new EventEmitter();
  let ended = false;
  const exited = once(child, "close").then(([code]) => {
    ended = true;
    news.emit("news");
    return typeof code === "number" ? code : null;
  });
  const output = child[read];
  if (output === null) throw new Error(`${program} was started without its ${read}`);
  createInterface({ input: output }).on("line", (line) => {
    lines.push(line);
    news.emit("news");
  });

  const waitFor = async (pattern: RegExp): Promise<RegExpExecArray> => {
    const signal = AbortSignal.timeout(WAIT_BOUND_MS);
    for (;;) {
      const found = lines.map((line) => pattern.exec(line)).find((match) => match !== null);
      if (found !== undefined) return found;
      const said = `no line ${pattern} of ${program}, which wrote:\n${lines.slice(-20).join("\n")}`;
      if (ended) throw new Error(`it ended with ${await exited}, and there was ${said}`);
      // oxlint-disable-next-line no-await-in-loop -- one look after each line
      await once(news, "news", { signal }).catch(() => {
        throw new Error(`in ${WAIT_BOUND_MS / 1_000} s there was ${said}`);
      });
    }
  };
  return {
    pid: child.pid ?? 0,
    lines,
    exited,
    waitFor,
    signal: (name) => void child.kill(name),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
