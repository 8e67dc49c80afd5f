import { describe, expect, test } from "bun:test";
import { FLAGS } from "../../src/cli/flags";
import type { Flag } from "../../src/cli/flags";
import { SERVE_HELP, WORD_HELPS, renderCommandHelp, renderHelp } from "../../src/cli/help";
import { OPERATOR_COMMANDS } from "../../src/commands/operator-commands";

const flags: readonly Flag[] = FLAGS;
const commands = [SERVE_HELP, ...OPERATOR_COMMANDS, ...WORD_HELPS];

test("the help is the text of help.golden.txt", async () => {
  expect(renderHelp(flags, commands)).toBe(await Bun.file(new URL("help.golden.txt", import.meta.url)).text());
});

describe.each([
  ["the help", renderHelp(flags, commands), flags],
  ...OPERATOR_COMMANDS.map((command) => {
    const operands = command.words.kind === "mixed" ? command.words.names : [];
    return [`the help of ${command.name}`, renderCommandHelp({ ...command, operands }), command.flags] as const;
  }),
])("%s", (_, text, named) => {
  test("has no line over 80 columns", () => {
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("has no space at the end of a line, and one newline at its own", () => {
    expect(text).not.toMatch(/ $/m);
    expect(text).toMatch(/[^\n]\n$/);
  });

  test.each(named)("names $name", ({ name }) => {
    expect(text.split(/[\s,]+/)).toContain(name.length === 1 ? `-${name}` : `--${name}`);
  });
});

test.each([
  [
    "a text, with its default",
    { name: "path", type: "string", default: "/a", help: "A path.", group: "HTTP" },
    "  --path TEXT\n      A path. Default: /a\n",
  ],
  [
    "a text without a default",
    { name: "path", type: "string", default: "", help: "A path.", group: "HTTP" },
    "  --path TEXT\n      A path.\n",
  ],
  [
    "a bool, which takes no word",
    { name: "b", type: "bool", default: "false", help: "Yes.", group: "HTTP" },
    "  -b\n      Yes.\n",
  ],
  [
    "a deprecated one",
    { name: "old", type: "uint", default: "0", help: "A number.", group: "HTTP", deprecated: "--new" },
    "  --old NUMBER\n      Deprecated: use --new. A number. Default: 0\n",
  ],
] as const)("a flag in the help: %s", (_, flag: Flag, lines) => {
  expect(renderHelp([flag], commands)).toEndWith(`\n\nHTTP:\n${lines}`);
});
