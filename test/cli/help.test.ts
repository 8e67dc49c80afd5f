import { describe, expect, test } from "bun:test";
import { FLAGS } from "../../src/cli/flags";
import type { Flag } from "../../src/cli/flags";
import { SERVE_HELP, WORD_HELPS, renderCommandHelp, renderHelp } from "../../src/cli/help";
import { OPERATOR_COMMANDS, type OperatorCommand } from "../../src/commands/operator-commands";
import { golden } from "../support/golden";

const FLAGS_PAGE_TOP = `# Flags

Go's flag syntax: \`-flag\`, \`--flag\`, \`--flag=value\`, \`--flag value\`. This page is what \`livenessprobe --help\` and \`livenessprobe COMMAND --help\`
print; \`UPDATE_GOLDEN=1 bun run test test/cli/help.test.ts\` writes it.
`;

const flags: readonly Flag[] = FLAGS;
const commands = [SERVE_HELP, ...OPERATOR_COMMANDS, ...WORD_HELPS];

test("docs/flags.md has the help of every command as it is", () => {
  const texts = [renderHelp(flags, commands), ...OPERATOR_COMMANDS.map(helpOf)];
  const page = [FLAGS_PAGE_TOP, ...texts.map((text) => `\`\`\`text\n${text}\`\`\`\n`)].join("\n");
  expect(golden(new URL("../../docs/flags.md", import.meta.url), page)).toBe(page);
});

describe.each([
  ["the help", renderHelp(flags, commands), flags],
  ...OPERATOR_COMMANDS.map((command) => [`the help of ${command.name}`, helpOf(command), command.flags] as const),
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

function helpOf(command: OperatorCommand): string {
  return renderCommandHelp({ ...command, operands: command.words.kind === "mixed" ? command.words.names : [] });
}
