import { expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";

/** Lines of all sizes, some larger than what a pipe takes as a whole (PIPE_BUF, 4096 bytes). */
const LINES = 2_000;
const TEXT = /^(?:line \d+ x*|lost \d+)$/;

/** Writes more than fits while nobody reads, says so, and when told to go on writes until a line gets through. */
const FLOOD = `
  import { writeSync } from "node:fs";
  import { openSinks } from "${join(import.meta.dir, "../../src/log/sink")}";
  let losing = false;
  const { error: sink } = openSinks(false, (_, dropped) => {
    losing = true;
    return "lost " + dropped + "\\n";
  });
  let count = 0;
  const write = () => sink("line " + count + " " + "x".repeat((count++ * 37) % 9000) + "\\n");
  while (count < ${LINES}) write();
  writeSync(1, "full\\n");
  await Bun.stdin.text();
  for (;;) {
    losing = false;
    write();
    if (process.argv[1] === "unreadable" || !losing) break;
    await Bun.sleep(1);
  }
  writeSync(1, String(count));
`;

function command(how: "readable" | "unreadable"): string[] {
  return [process.execPath, "-e", FLOOD, how];
}

test("a pipe that nobody reads loses lines, but no line is broken and each loss is told", async () => {
  using directory = temporaryDirectory();
  const pipe = namedPipe(directory.path, "stderr");
  await using child = Bun.spawn(command("readable"), { stdin: "pipe", stdout: "pipe", stderr: pipe.writeFd });
  closeSync(pipe.writeFd);
  const stdout = child.stdout.getReader();
  expect(new TextDecoder().decode((await stdout.read()).value)).toBe("full\n");

  const first = drain(pipe.readFd);
  await child.stdin.end();
  const report = new TextDecoder().decode((await stdout.read()).value);
  expect(await child.exited).toBe(0);
  expectWholeLines(first + drain(pipe.readFd), report);
  closeSync(pipe.readFd);
});

test("a socket that nobody reads does the same", async () => {
  using directory = temporaryDirectory();
  const stdout = namedPipe(directory.path, "stdout");
  // For "pipe" Bun makes a socket pair, which it reads from its event loop: not while readSync blocks the thread.
  await using child = Bun.spawn(command("readable"), { stdin: "pipe", stdout: stdout.writeFd, stderr: "pipe" });
  closeSync(stdout.writeFd);
  expect(readBlocking(stdout.path)).toBe("full\n");

  await child.stdin.end();
  const text = await child.stderr.text();
  expect(await child.exited).toBe(0);
  expectWholeLines(text, drain(stdout.readFd));
  closeSync(stdout.readFd);
});

test.each([
  ["a pipe whose reader is gone", "exec 3>&2; mkfifo $0/p; (: <$0/p) & exec 2>$0/p; wait"],
  ["a closed descriptor", "exec 2>&-"],
  ["a full disk", "exec 2>/dev/full"],
])("%s does not end the process", async (_, redirect) => {
  using directory = temporaryDirectory();
  await using child = Bun.spawn(["sh", "-c", `${redirect}; exec "$@"`, directory.path, ...command("unreadable")], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  expect(await child.stdout.text()).toBe(`full\n${LINES + 1}`);
  expect(await child.exited).toBe(0);
});

test("a reader that goes away in the middle does not end the process", async () => {
  using directory = temporaryDirectory();
  const pipe = namedPipe(directory.path, "stderr");
  await using child = Bun.spawn(command("unreadable"), { stdin: "pipe", stdout: "pipe", stderr: pipe.writeFd });
  closeSync(pipe.writeFd);
  const stdout = child.stdout.getReader();
  await stdout.read();
  closeSync(pipe.readFd);
  await child.stdin.end();
  expect(await child.exited).toBe(0);
});

test("a file is appended to", async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "stderr");
  writeFileSync(path, "before\n");
  await using child = Bun.spawn(["sh", "-c", 'exec 2>>"$0"; exec "$@"', path, ...command("unreadable")], {
    stdin: "ignore",
    stdout: "ignore",
  });
  expect(await child.exited).toBe(0);
  const lines = readFileSync(path, "utf8").split("\n");
  expect([lines[0], lines[1], lines.length]).toEqual(["before", "line 0 ", LINES + 3]);
});

test("a file that is shared without O_APPEND is written where the others are", async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "stderr");
  const script = 'exec 2>"$0"; echo before >&2; "$@"; echo after >&2';
  await using child = Bun.spawn(["sh", "-c", script, path, ...command("unreadable")], {
    stdin: "ignore",
    stdout: "ignore",
  });
  expect(await child.exited).toBe(0);
  const lines = readFileSync(path, "utf8").split("\n");
  expect([lines[0], lines[1], lines.at(-2), lines.length]).toEqual(["before", "line 0 ", "after", LINES + 4]);
});

/** Every line is whole, and those that are missing are those that the notices count. */
function expectWholeLines(text: string, count: string): void {
  const lines = text.split("\n");
  expect(lines.pop()).toBe("");
  expect(lines.filter((line) => !isWhole(line))).toEqual([]);
  const told = lines.flatMap((line) => line.match(/^lost (\d+)$/)?.[1] ?? []).map(Number);
  const kept = lines.filter((line) => line.startsWith("line "));
  const dropped = told.reduce((sum, lost) => sum + lost, 0);
  expect(dropped).toBeGreaterThan(0);
  expect(kept.length + dropped).toBe(Number(count));
  expect(kept.at(-1)?.split(" ")[1]).toBe(String(Number(count) - 1));
}

function isWhole(line: string): boolean {
  const [, number = "0", filling = ""] = line.split(" ");
  return TEXT.test(line) && (line.startsWith("lost ") || filling.length === (Number(number) * 37) % 9000);
}

/** A real pipe: what Bun.spawn calls "pipe" is a pair of sockets. */
function namedPipe(directory: string, name: string) {
  const path = join(directory, name);
  Bun.spawnSync(["mkfifo", path]);
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { path, readFd, writeFd: openSync(path, constants.O_WRONLY) };
}

function readBlocking(path: string): string {
  const fd = openSync(path, constants.O_RDONLY);
  const bytes = Buffer.alloc(1024);
  const text = bytes.toString("utf8", 0, readSync(fd, bytes));
  closeSync(fd);
  return text;
}

/** All that is in the pipe now. */
function drain(fd: number): string {
  const chunks: Buffer[] = [];
  for (;;) {
    const bytes = Buffer.alloc(65_536);
    const length = readAvailable(fd, bytes);
    if (length === 0) return Buffer.concat(chunks).toString();
    chunks.push(bytes.subarray(0, length));
  }
}

function readAvailable(fd: number, bytes: Buffer): number {
  try {
    return readSync(fd, bytes);
  } catch {
    // EAGAIN: it is empty, though its writer is there.
    return 0;
  }
}
