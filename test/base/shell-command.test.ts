import { expect, test } from "bun:test";
import { run } from "../../scripts/run";
import { ownCommand, programWords, shellCommand } from "../../src/base/shell-command";

test.each([
  ["words that mean nothing to a shell are as they are", ["kill", "-CONT", "42"], "kill -CONT 42"],
  ["a name with a command in it", ["logs", "$(id)"], "logs '$(id)'"],
  ["a path with spaces and quotes", [`/it's "here"`], String.raw`'/it'\''s "here"'`],
  ["an empty word", ["a", ""], "a ''"],
  ["what a shell would expand", ["~", "*", "a;b", "a&b", "#"], "'~' '*' 'a;b' 'a&b' '#'"],
])("quoted for a shell: %s", (_, words, command) => {
  expect(shellCommand(words)).toBe(command);
});

test("a shell reads the words that went in", async () => {
  const words = ["$(id)", "`id`", "it's", "a b", "\\", '"', "*", "日本", "!x", "-n"];
  expect(await run(["sh", "-c", shellCommand(["printf", "%s\\n", ...words]) ?? ""])).toBe(words.join("\n"));
});

test.each(["a\nb", "\u001b[2J", "\u202e"])("there is no command with %j in it", (word) => {
  expect(shellCommand(["echo", word])).toBeUndefined();
});

test.each([
  ["by its name", "livenessprobe\0list\0", 1, ["livenessprobe"]],
  ["by a path", "./dist/livenessprobe\0list\0--root\0/a b\0", 3, ["./dist/livenessprobe"]],
  [
    "by a loader",
    "/a/ld.so\0--library-path\0/a\0/a/livenessprobe\0list\0",
    1,
    ["/a/ld.so", "--library-path", "/a", "/a/livenessprobe"],
  ],
  ["in a way that cannot be seen", "", 1, ["livenessprobe"]],
])("a program was started %s", (_, cmdline, argumentCount, program) => {
  expect(programWords(cmdline, argumentCount)).toEqual(program);
});

test("a command of this program begins as it was started, and ends with the flags that it was given", () => {
  const invocation = { program: ["/opt/a b/livenessprobe"], flags: ["--root", "/host"] };
  expect(ownCommand(invocation, ["inspect", "a.csi"])).toBe("'/opt/a b/livenessprobe' inspect a.csi --root /host");
});
