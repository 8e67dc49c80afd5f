import { expect, test } from "bun:test";
import { run } from "../../scripts/run";
import { shellCommand } from "../../src/base/shell-command";

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
