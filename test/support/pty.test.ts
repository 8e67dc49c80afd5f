import { expect, test } from "bun:test";
import { runInPty, screenOf } from "./pty";

const shell = (script: string, options: Partial<Parameters<typeof runInPty>[1]> = {}) =>
  runInPty(["sh", "-c", script], { columns: 80, ...options });

test.each([80, 200])("a command sees a terminal of %i columns", async (columns) => {
  const { output } = await shell("stty size; tty; test -t 0 && test -t 1 && test -t 2 && echo three", { columns });
  expect(output).toMatch(new RegExp(`^24 ${columns}\n/dev/pts/\\d+\nthree\n$`));
});

test("its exit code is told, and of its environment TERM and what is given", async () => {
  expect(await shell('echo "$TERM $NO_COLOR"; exit 4')).toMatchObject({ code: 4, output: "xterm-256color \n" });
  expect(await shell('echo "$TERM $NO_COLOR"', { env: { NO_COLOR: "1" } })).toMatchObject({ output: " 1\n" });
});

test("all that it writes is read, however long", async () => {
  const { output } = await shell("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done");
  expect(output).toBe(Array.from({ length: 5_000 }, (_, index) => `line ${index}\n`).join(""));
});

test.each([
  ["stdout", "error to a terminal\n", "output\n"],
  ["stderr", "output to a terminal\n", "error\n"],
] as const)("%s can be kept apart from the terminal", async (apart, output, kept) => {
  const script = `
    if [ -t 1 ]; then echo output to a terminal; else echo output; fi
    if [ -t 2 ]; then echo error to a terminal >&2; else echo error >&2; fi`;
  expect(await shell(script, { apart })).toEqual({ code: 0, output, apart: kept });
});

test.each([
  ["lines", "a\nb\n", "a\nb\n"],
  ["a line that is rewritten", "asked 9\rasked 10\n", "asked 10\n"],
  ["a line that is written over in part", "abcdef\rxy", "xycdef"],
  ["a line that is erased with spaces", "abc\r   \rdone\n", "done\n"],
])("what stays on the screen of %s", (_, output, screen) => {
  expect(screenOf(output)).toBe(screen);
});
