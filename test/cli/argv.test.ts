import { describe, expect, test } from "bun:test";
import { type CommandSyntax, SERVE, parseBool, parseVmodule, readArgv } from "../../src/cli/argv";
import { FLAGS, type Flag } from "../../src/cli/flags";

const output: Flag = { name: "output", short: "o", type: "string", default: "", help: "", group: "Output" };
const dirs: Flag = { name: "kubelet-dir", type: "list", default: "", help: "", group: "Node" };
const commands: readonly CommandSyntax[] = [
  SERVE,
  { name: "check", flags: FLAGS, words: { kind: "go" } },
  { name: "list", flags: [output, dirs, ...FLAGS], words: { kind: "mixed", names: ["ADDRESS"] } },
];
const read = (...argv: readonly string[]) => readArgv(argv, commands);

describe("the command", () => {
  test.each([
    ["nothing at all", [], "serve"],
    ["a flag first, as in the Go sidecar's manifests", ["--v=1"], "serve"],
    ["a dash alone, which is no flag", ["-"], "serve"],
    ["a command by its name", ["check", "--v=1"], "check"],
    ["serve by its name", ["serve"], "serve"],
  ])("%s", (_, argv, command) => {
    expect(read(...argv)).toMatchObject({ kind: "run", command });
  });

  test.each(["lst", "", "toString", "__proto__", "constructor", "/csi/csi.sock"])("%j is none", (word) => {
    expect(read(word, "--help")).toEqual({
      kind: "refused",
      command: undefined,
      message: `unknown command ${JSON.stringify(word)}`,
      unknown: { word, known: ["serve", "check", "list", "help", "version"] },
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
    ["a next word that looks like a flag", ["--csi-address", "--v=1"], { "csi-address": "--v=1" }],
    ["two dashes as a value", ["--csi-address", "--"], { "csi-address": "--" }],
    ["the last of two", ["--v=1", "-v", "2"], { v: "2" }],
    ["a bare bool", ["--automaxprocs"], { automaxprocs: "true" }],
    ["a bool with a value", ["--automaxprocs=F"], { automaxprocs: "F" }],
    ["version, denied", ["--version=false"], { version: "false" }],
    ["vmodule, which adds up", ["--vmodule=a=1", "--vmodule", "b=2,", "--vmodule="], { vmodule: "a=1,b=2,," }],
    ["the largest verbosity", ["-v=2147483647"], { v: "2147483647" }],
    ["a quantity", ["--log-json-info-buffer-size=2Ki"], { "log-json-info-buffer-size": "2Ki" }],
    ["a quantity with an exponent", ["--log-json-info-buffer-size=1e-3"], { "log-json-info-buffer-size": "1e-3" }],
    ["a quantity without digits", ["--log-json-info-buffer-size=k"], { "log-json-info-buffer-size": "k" }],
    ["a duration", ["--probe-timeout=1m30s"], { "probe-timeout": "1m30s" }],
  ])("%s", (_, argv, values) => {
    expect(read(...argv)).toEqual({ kind: "run", command: "serve", values, words: [] });
  });
});

describe("the flags' end", () => {
  test.each([
    ["a word that is no flag", ["--v=1", "check", "--v=2"], ["check", "--v=2"]],
    ["the word after a bool", ["--v=1", "--automaxprocs=true", "true"], ["true"]],
    ["two dashes", ["--v=1", "--", "--v=2", "x"], ["--v=2", "x"]],
    ["two dashes with nothing behind", ["--v=1", "--"], []],
    ["a dash alone", ["--v=1", "-"], ["-"]],
    ["an empty word", ["--v=1", "", "--bogus"], ["", "--bogus"]],
    ["a second command", ["check", "--v=1", "serve"], ["serve"]],
  ])("%s", (_, argv, words) => {
    expect(read(...argv)).toMatchObject({ kind: "run", values: { v: "1" }, words });
  });
});

describe("a command for a person takes flags and words in any order", () => {
  test.each([
    ["a word before the flags", ["/a", "--v=1"], { v: "1" }, ["/a"]],
    ["a word behind them", ["--v=1", "/a"], { v: "1" }, ["/a"]],
    ["no word", ["--v=1"], { v: "1" }, []],
    ["a word that looks like a flag, behind two dashes", ["--", "--v=1"], {}, ["--v=1"]],
    ["a flag's letter", ["-o", "json"], { output: "json" }, []],
    ["a flag's name", ["--output=json", "/a"], { output: "json" }, ["/a"]],
    ["a flag that repeats", ["--kubelet-dir=/a", "--kubelet-dir", "/b,c"], { "kubelet-dir": "/a\n/b,c" }, []],
  ])("%s", (_, argv, values, words) => {
    expect(read("list", ...argv)).toEqual({ kind: "run", command: "list", values, words });
  });

  test.each([
    ["a second word", ["/a", "/b"], 'unexpected word "/b": list takes ADDRESS'],
    ["a second word behind two dashes", ["/a", "--", "--v"], 'unexpected word "--v": list takes ADDRESS'],
    ["a flag that does not exist", ["/a", "--bogus"], "flag provided but not defined: -bogus"],
  ])("and refuses %s", (_, argv, message) => {
    expect(read("list", ...argv)).toMatchObject({ kind: "refused", command: "list", message });
  });
});

describe("help and version, where they come first", () => {
  test.each([
    ["-h", ["-h"], { kind: "help", command: "serve" }],
    ["--help before an error", ["--help", "--bogus"], { kind: "help", command: "serve" }],
    ["--help with a value", ["--help=false"], { kind: "help", command: "serve" }],
    ["help of a command", ["check", "--v=1", "-help"], { kind: "help", command: "check" }],
    ["--version before an error", ["--version", "--bogus"], { kind: "version" }],
    ["-version=1", ["-version=1"], { kind: "version" }],
    ["version before help", ["--version", "--help"], { kind: "version" }],
    ["help as a word", ["help"], { kind: "help", command: "serve" }],
    ["help with a command", ["help", "check"], { kind: "help", command: "check" }],
    ["help with serve", ["help", "serve"], { kind: "help", command: "serve" }],
    ["help with itself", ["help", "help"], { kind: "help", command: "serve" }],
    ["help with version", ["help", "version"], { kind: "help", command: "serve" }],
    ["help --help", ["help", "--help"], { kind: "help", command: "serve" }],
    ["version as a word", ["version"], { kind: "version" }],
    ["version -h", ["version", "-h"], { kind: "help", command: "serve" }],
  ] as const)("%s", (_, argv, outcome) => {
    expect(read(...argv)).toEqual(outcome);
  });

  test.each([
    ["help and version are words only where they come first", ["--v=1", "help"], { kind: "run", words: ["help"] }],
    ["help with no command", ["help", "chekc"], { kind: "refused", message: 'unknown command "chekc"' }],
    ["help with two", ["help", "check", "list"], { message: 'unexpected word "list": help takes [COMMAND]' }],
    ["version with a word", ["version", "1"], { message: 'unexpected word "1": version takes no words' }],
  ])("%s", (_, argv, outcome) => {
    expect(read(...argv)).toMatchObject(outcome);
  });

  test("an error before help is an error", () => {
    expect(read("--bogus", "--help")).toMatchObject({ kind: "refused" });
  });
});

describe("what Go refuses, in its words", () => {
  test.each([
    ["--bogus", "flag provided but not defined: -bogus"],
    ["-bogus=1", "flag provided but not defined: -bogus"],
    ["--no-automaxprocs", "flag provided but not defined: -no-automaxprocs"],
    ["-v5", "flag provided but not defined: -v5"],
    ["--__proto__=1", "flag provided but not defined: -__proto__"],
    ["--toString", "flag provided but not defined: -toString"],
    ["--constructor=x", "flag provided but not defined: -constructor"],
    ["--CSI-address=/a", "flag provided but not defined: -CSI-address"],
    ["-csi-address", "flag needs an argument: -csi-address"],
    ["--v", "flag needs an argument: -v"],
    ["---x", "bad flag syntax: ---x"],
    ["---x\ny", "bad flag syntax: ---x\\ny"],
    ["--bo\ngus", "flag provided but not defined: -bo\\ngus"],
    ["--=x", "bad flag syntax: --=x"],
    ["-=x", "bad flag syntax: -=x"],
    ["-v=x", 'invalid value "x" for flag -v: strconv.ParseUint: parsing "x": invalid syntax'],
    ["-v=", 'invalid value "" for flag -v: strconv.ParseUint: parsing "": invalid syntax'],
    ["-v=-1", 'invalid value "-1" for flag -v: strconv.ParseUint: parsing "-1": invalid syntax'],
    ["-v=1.5", 'invalid value "1.5" for flag -v: strconv.ParseUint: parsing "1.5": invalid syntax'],
    ["-v=1\n", 'invalid value "1\\n" for flag -v: strconv.ParseUint: parsing "1\\n": invalid syntax'],
    [
      "-v=2147483648",
      'invalid value "2147483648" for flag -v: strconv.ParseUint: parsing "2147483648": value out of range',
    ],
    [
      "-v=9999999999x",
      'invalid value "9999999999x" for flag -v: strconv.ParseUint: parsing "9999999999x": value out of range',
    ],
    ["--probe-timeout=abc", 'invalid value "abc" for flag -probe-timeout: parse error'],
    ["--probe-timeout=3", 'invalid value "3" for flag -probe-timeout: parse error'],
    ["--log-flush-frequency=1d", 'invalid value "1d" for flag -log-flush-frequency: parse error'],
    ["--vmodule=a", 'invalid value "a" for flag -vmodule: "a" does not have the pattern=N format'],
    ["--vmodule=a=1,=2", 'invalid value "a=1,=2" for flag -vmodule: "=2" does not have the pattern=N format'],
    ["--vmodule=a=b=1", 'invalid value "a=b=1" for flag -vmodule: "a=b=1" does not have the pattern=N format'],
    [
      "--vmodule=a=x",
      'invalid value "a=x" for flag -vmodule: parsing verbosity in "a=x": strconv.ParseUint: parsing "x": invalid syntax',
    ],
    ["--automaxprocs=x", 'invalid boolean value "x" for -automaxprocs: strconv.ParseBool: parsing "x": invalid syntax'],
    ["--automaxprocs=", 'invalid boolean value "" for -automaxprocs: strconv.ParseBool: parsing "": invalid syntax'],
    [
      "--log-text-info-buffer-size=1K",
      'invalid value "1K" for flag -log-text-info-buffer-size: unable to parse quantity\'s suffix',
    ],
    [
      "--log-json-info-buffer-size=abc",
      'invalid value "abc" for flag -log-json-info-buffer-size: quantities must match the regular expression ' +
        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ])("%j", (word, message) => {
    expect(read(word)).toMatchObject({ kind: "refused", command: "serve", message });
  });

  test.each([
    ["--probe-timeout=3", "3s"],
    ["--probe-timeout=0.5", "0.5s"],
    ["--probe-timeout=2d", "48h"],
    ["--probe-timeout=abc", "a number and its unit (ms, s, m or h), such as 3s"],
    ["--probe-timeout=", "a number and its unit (ms, s, m or h), such as 3s"],
    ["--automaxprocs=yes", "true or false"],
    ["--v=x", undefined],
  ])("%j, and what to write instead", (word, instead) => {
    const refused = read(word);
    expect(refused.kind === "refused" ? refused.instead : "accepted").toBe(instead);
  });

  test("the first of two errors, though a good value follows", () => {
    expect(read("-v=x", "--bogus", "-v=1")).toMatchObject({
      message: 'invalid value "x" for flag -v: strconv.ParseUint: parsing "x": invalid syntax',
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

test.each([
  ["nothing", "", []],
  ["commas alone", ",,", []],
  ["one pattern", "prober=5", [{ pattern: "prober", verbosity: 5 }]],
  [
    "two, a wildcard and a trailing comma",
    "csi*=4,http=0,",
    [
      { pattern: "csi*", verbosity: 4 },
      { pattern: "http", verbosity: 0 },
    ],
  ],
])("vmodule of %s", (_, text, patterns) => {
  expect(parseVmodule(text)).toEqual({ kind: "patterns", patterns });
});
