import { describe, expect, test } from "bun:test";
import { parseBool, readArgv } from "../../src/cli/argv";
import { type Args, type Commands, UsageError } from "../../src/cli/command";
import { GENERAL_FLAGS, SERVE_FLAGS } from "../../src/cli/flags";

const LIST_ARGS = {
  address: { type: "positional", valueHint: "[ADDRESS]", required: false, description: "an address" },
  output: { type: "string", default: "table", alias: "o", valueHint: "TEXT", description: "", group: "Output" },
  "kubelet-dir": { type: "string", separator: "\n", valueHint: "PATH", description: "", group: "Node" },
  v: SERVE_FLAGS.v,
  ...GENERAL_FLAGS,
} as const satisfies Args;

const DEST = { directory: { type: "positional", valueHint: "DEST", required: true, description: "a path" } } as const;

const commands: Commands = {
  serve: command("serve", SERVE_FLAGS),
  list: command("list", LIST_ARGS),
  install: command("install", DEST),
  help: command("help", { command: { ...DEST.directory, valueHint: "[COMMAND]", required: false } }),
  version: command("version", {}),
};

const read = (...argv: readonly string[]) => readArgv(argv, commands);

describe("the command", () => {
  test.each([
    ["nothing at all", [], "serve"],
    ["a flag first, as in the Go sidecar's manifests", ["--v=1"], "serve"],
    ["a dash alone, which is no flag", ["-"], "serve"],
    ["a command by its name", ["list", "--v=1"], "list"],
    ["serve by its name", ["serve"], "serve"],
  ])("%s", async (_, argv, name) => {
    expect((await read(...argv)).name).toBe(name);
  });

  test.each(["lst", "", "toString", "__proto__", "constructor", "/csi/csi.sock"])("%j is none", async (word) => {
    expect(await refusalOf(word, "--help")).toEqual({
      message: `unknown command ${JSON.stringify(word)}`,
      unknown: {
        word,
        known: ["serve", "list", "install", "help", "version"],
        otherwise: "the commands are serve, list, install, help, version",
      },
    });
  });
});

describe("flags in Go's syntax", () => {
  test.each([
    ["one dash", ["-csi-address=/a"], { "csi-address": "/a" }],
    ["two dashes", ["--csi-address=/a"], { "csi-address": "/a" }],
    ["a value in the next word", ["-csi-address", "/a", "--v", "5"], { "csi-address": "/a", v: "5" }],
    ["an empty value", ["--http-endpoint="], { "http-endpoint": "" }],
    ["an empty next word", ["--http-endpoint", ""], { "http-endpoint": "" }],
    ["an equals sign in the value", ["--csi-address=/a=b"], { "csi-address": "/a=b" }],
    ["a line break in the value", ["--csi-address=/a\nb"], { "csi-address": "/a\nb" }],
    ["a next word that looks like a flag", ["--csi-address", "--v=1"], { "csi-address": "--v=1" }],
    ["two dashes as a value", ["--csi-address", "--"], { "csi-address": "--" }],
    ["the last of two", ["--v=1", "-v", "2"], { v: "2" }],
    ["a bare bool", ["--automaxprocs"], { automaxprocs: "true" }],
    ["a bool with a value", ["--automaxprocs=F"], { automaxprocs: "false" }],
    ["version, denied", ["--version=false"], { version: "false" }],
    ["vmodule, which adds up", ["--vmodule=a=1", "--vmodule", "b=2,", "--vmodule="], { vmodule: "a=1,b=2,," }],
  ])("%s", async (_, argv, given) => {
    expect(await read(...argv)).toMatchObject({ name: "serve", given, args: { _: [] } });
  });

  test("every flag has its value, given or by default; a bool is one", async () => {
    const { args } = await read("list", "--version=0", "-o=json", "/a");
    expect(args).toEqual({
      _: ["/a"],
      address: "/a",
      output: "json",
      "kubelet-dir": undefined,
      v: "0",
      version: false,
      help: false,
    });
  });
});

describe("the end of the flags of serve", () => {
  test.each([
    ["a word that is no flag", ["--v=1", "some", "--v=2"], ["some", "--v=2"]],
    ["the word after a bool", ["--v=1", "--automaxprocs=true", "true"], ["true"]],
    ["two dashes", ["--v=1", "--", "--v=2", "x"], ["--v=2", "x"]],
    ["two dashes with nothing behind", ["--v=1", "--"], []],
    ["a dash alone", ["--v=1", "-"], ["-"]],
    ["an empty word", ["--v=1", "", "--bogus"], ["", "--bogus"]],
    ["a second command", ["serve", "--v=1", "list"], ["list"]],
    ["a command behind two dashes or another word", ["--v=1", "--", "x", "list"], ["x", "list"]],
  ])("%s", async (_, argv, words) => {
    expect(await read(...argv)).toMatchObject({ name: "serve", args: { v: "1", _: words } });
  });
});

describe("another command takes flags and operands in any order", () => {
  test.each([
    ["a word before the flags", ["/a", "--v=1"], { v: "1" }, "/a"],
    ["a word behind them", ["--v=1", "/a"], { v: "1" }, "/a"],
    ["no word", ["--v=1"], { v: "1" }, undefined],
    ["a word that looks like a flag, behind two dashes", ["--", "--v=1"], {}, "--v=1"],
    ["a flag's letter", ["-o", "json"], { output: "json" }, undefined],
    ["a flag's name", ["--output=json", "/a"], { output: "json" }, "/a"],
    ["a flag that repeats", ["--kubelet-dir=/a", "--kubelet-dir", "/b,c"], { "kubelet-dir": "/a\n/b,c" }, undefined],
  ])("%s", async (_, argv, given, address) => {
    expect(await read("list", ...argv)).toMatchObject({ name: "list", given, args: { address } });
  });

  test.each([
    ["a second word", ["list", "/a", "/b"], 'unexpected word "/b": list takes [ADDRESS]'],
    ["one behind two dashes", ["list", "/a", "--", "--v"], 'unexpected word "--v": list takes [ADDRESS]'],
    ["two words for help", ["help", "list", "serve"], 'unexpected word "serve": help takes [COMMAND]'],
    ["a word for version", ["version", "1"], 'unexpected word "1": version takes flags only'],
    ["no word where one is needed", ["install"], "install needs DEST: a path"],
    ["a flag that does not exist", ["list", "/a", "--bogus"], "flag provided but not defined: -bogus"],
  ])("and refuses %s", async (_, argv, message) => {
    expect(await refusalOf(...argv)).toMatchObject({ message });
  });
});

const help = (name: string | undefined) => ({ name: "help", args: { command: name } });

describe("help and version, where they come first", () => {
  test.each([
    [["-h"], help("serve")],
    [["--help", "--bogus"], help("serve")],
    [["--help=false"], help("serve")],
    [["list", "--v=1", "-help"], help("list")],
    [["help"], help(undefined)],
    [["help", "list"], help("list")],
    [["help", "--help"], help("help")],
    [["version", "-h"], help("version")],
    [["--version", "--bogus"], { name: "version" }],
    [["-version=1"], { name: "version" }],
    [["--version", "--help"], { name: "version" }],
    [["version"], { name: "version" }],
  ])("%j", async (argv, outcome) => {
    expect(await read(...argv)).toMatchObject(outcome);
  });

  test("an error before help is an error", async () => {
    expect(await refusalOf("--bogus", "--help")).toMatchObject({ message: "flag provided but not defined: -bogus" });
  });
});

describe("what cannot be read", () => {
  const syntax = "write --FLAG or --FLAG=VALUE";
  test.each([
    ["--bogus", "flag provided but not defined: -bogus"],
    ["-bogus=1", "flag provided but not defined: -bogus"],
    ["--no-automaxprocs", "flag provided but not defined: -no-automaxprocs"],
    ["-v5", "flag provided but not defined: -v5"],
    ["--__proto__=1", "flag provided but not defined: -__proto__"],
    ["--toString", "flag provided but not defined: -toString"],
    ["--constructor=x", "flag provided but not defined: -constructor"],
    ["--_", "flag provided but not defined: -_"],
    ["--CSI-address=/a", "flag provided but not defined: -CSI-address"],
    ["--bo\ngus", "flag provided but not defined: -bo\\ngus"],
    ["-csi-address", "flag needs an argument: -csi-address; write --csi-address=PATH"],
    ["--v", "flag needs an argument: -v; write -v=NUMBER"],
    ["---x", `bad flag syntax: ---x; ${syntax}`],
    ["---x\ny", `bad flag syntax: ---x\\ny; ${syntax}`],
    ["--=x", `bad flag syntax: --=x; ${syntax}`],
    ["-=x", `bad flag syntax: -=x; ${syntax}`],
    ["--automaxprocs=x", '--automaxprocs must be true or false, got "x"'],
    ["--automaxprocs=", '--automaxprocs must be true or false, got ""'],
  ])("%j", async (word, message) => {
    expect(await refusalOf(word)).toMatchObject({ message });
  });

  test.each(["list", "help", "serve"])("the command %s behind flags, which would be those of serve", async (name) => {
    expect(await refusalOf("-v", "5", name, "--v=1")).toMatchObject({
      message: `unexpected word "${name}"`,
      unknown: { otherwise: `the command comes first: livenessprobe ${name} ...` },
    });
  });

  test("a flag that is not known is told with those that are, and where to find them", async () => {
    expect(await refusalOf("list", "--bogus")).toMatchObject({
      unknown: {
        word: "bogus",
        known: ["--output", "--kubelet-dir", "-v", "--version", "--help"],
        otherwise: "see livenessprobe list --help",
      },
    });
  });
});

test.each([
  ["1 t T TRUE true True", true],
  ["0 f F FALSE false False", false],
  ["tRUE yes on 2 -1", undefined],
])("the words %s are %p", (words, value) => {
  expect(words.split(" ").map(parseBool)).toEqual(words.split(" ").map(() => value));
});

function command(name: string, args: Args): Commands[string] {
  return async () => ({ meta: { name, description: "" }, args, run: () => 0 });
}

/** What the words are refused with; that they are taken throws. */
async function refusalOf(...argv: readonly string[]): Promise<Pick<UsageError, "message" | "unknown">> {
  try {
    await read(...argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { message: error.message, unknown: error.unknown };
  }
  throw new Error("they are taken");
}
