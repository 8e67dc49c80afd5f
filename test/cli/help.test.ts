import { describe, expect, test } from "bun:test";
import { dashed, flagsOf } from "../../src/cli/argv";
import type { Flag, ProcessContext } from "../../src/cli/command";
import { suggest } from "../../src/base/suggest";
import { adviceOn, renderCommandHelp } from "../../src/cli/help";
import { SERVE_FLAGS } from "../../src/cli/flags";
import { helpOf } from "../../src/commands/help";
import { listCommands } from "../../src/commands/run";
import { golden } from "../support/golden";

const FLAGS_PAGE_TOP = `# Flags

All flags use Go's syntax: \`-flag\`, \`--flag\`, \`--flag=value\`, \`--flag value\`. This page is the output of
\`livenessprobe --help\` and \`livenessprobe COMMAND --help\`; \`UPDATE_GOLDEN=1 bun run test test/cli/help.test.ts\` writes
it.
`;

const context: ProcessContext = {
  writeOut: () => {},
  writeError: () => {},
  streamFacts: () => ({
    isTerminal: false,
    columns: undefined,
    rows: undefined,
    env: { NO_COLOR: undefined, TERM: undefined },
  }),
  onResize: () => {},
  outIsRead: () => Promise.resolve(true),
  stopRequested: () => Promise.resolve(),
  onInterrupt: () => ({ [Symbol.dispose]: () => {} }),
  program: () => ["livenessprobe"],
  pid: 1,
  uid: 0,
  timeZone: "utc",
  startTimeSeconds: 0,
};
const commands = listCommands(context);
const WITH_PAGE = ["serve", "check", "list", "inspect", "report", "monitor", "install", "completion"] as const;
const helps = await Promise.all(
  WITH_PAGE.map(async (name) => {
    const { args } = (await commands[name]?.()) ?? { args: {} };
    return { name, text: await helpOf(name, commands), flags: flagsOf(args).map(([flag]) => dashed(flag)) };
  }),
);

test("docs/flags.md has the help of every command as it is", () => {
  const page = [FLAGS_PAGE_TOP, ...helps.map(({ text }) => `\`\`\`text\n${text}\`\`\`\n`)].join("\n");
  expect(golden(new URL("../../docs/flags.md", import.meta.url), page)).toBe(page);
});

test("the help names every command", () => {
  const names = Object.keys(commands);
  expect(helps[0]?.text.match(/^ {2}([a-z]+) /gm)?.map((name) => name.trim())).toEqual(names);
});

describe.each(helps)("the help of $name", ({ text, flags }) => {
  test("has no line over 80 columns", () => {
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("has no space at the end of a line, and one newline at its own", () => {
    expect(text).not.toMatch(/ $/m);
    expect(text).toMatch(/[^\n]\n$/);
  });

  test.each(flags)("names %s", (flag) => {
    expect(text.split(/[\s,]+/)).toContain(flag);
  });
});

test.each<[string, string, Flag, string]>([
  [
    "a text, with its default",
    "path",
    { type: "string", default: "/a", valueHint: "PATH", description: "A path.", group: "HTTP" },
    "  --path PATH\n      A path. Default: /a\n",
  ],
  [
    "a text without a default",
    "path",
    { type: "string", valueHint: "PATH", description: "A path.", group: "HTTP" },
    "  --path PATH\n      A path.\n",
  ],
  [
    "a bool, which takes no word",
    "b",
    { type: "boolean", default: false, description: "Yes.", group: "HTTP" },
    "  -b\n      Yes.\n",
  ],
  [
    "a deprecated one",
    "old",
    {
      type: "string",
      default: "0",
      valueHint: "NUMBER",
      description: "A number.",
      group: "HTTP",
      deprecated: "--new",
    },
    "  --old NUMBER\n      Deprecated: use --new. A number. Default: 0\n",
  ],
])("a flag in the help: %s", (_, name, flag, lines) => {
  const command = { meta: { name: "x", description: "X." }, args: { [name]: flag }, run: () => 0 };
  expect(renderCommandHelp(command)).toEndWith(`\n\nHTTP:\n${lines}`);
});

test.each([
  ["chekc", "check"],
  ["list ", "list"],
  ["lst", "list"],
  ["LIST", "list"],
  ["instal", "install"],
  ["checkout", undefined],
  ["/csi/csi.sock", undefined],
  ["ls", undefined],
  ["x", undefined],
  ["", undefined],
])("%j meant %j", (word, meant) => {
  expect(suggest(word, WITH_PAGE)).toBe(meant);
});

const flags = flagsOf(SERVE_FLAGS).map(([name]) => dashed(name));

test.each([
  ["a flag, mistyped", "csi-adress", flags, "did you mean --csi-address?"],
  ["a flag, in capitals", "CSI_Address", flags, "did you mean --csi-address?"],
  ["a letter and its value in one", "v5", flags, "did you mean -v?"],
  ["a flag like no other", "bogus", flags, "the list"],
  ["a command, mistyped", "hlep", Object.keys(commands), "did you mean help?"],
  ["a command like no other", "/csi/csi.sock", Object.keys(commands), "the list"],
])("the advice on %s", (_, word, known, advice) => {
  expect(adviceOn({ word, known, otherwise: "the list" })).toBe(advice);
});
