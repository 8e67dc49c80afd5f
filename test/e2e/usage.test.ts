import { describe, expect, test } from "bun:test";
import packageJson from "../../package.json" with { type: "json" };
import { dashed, flagsOf } from "../../src/cli/argv";
import { SERVE_FLAGS } from "../../src/cli/flags";
import { EXECUTABLE } from "../support/executable";
import { runToEnd } from "../support/run-to-end";
import { runSidecar } from "../support/sidecar";

describe.concurrent(
  "what the flag parser refuses: its text and what to do, as one line on standard error, exit code 2",
  () => {
    test.each([
      [
        "a mistyped flag",
        ["--csi-adress=/csi/csi.sock"],
        "flag provided but not defined: -csi-adress; did you mean --csi-address?",
      ],
      ["a flag that does not exist", ["-bogus"], "flag provided but not defined: -bogus; see livenessprobe --help"],
      [
        "a flag that does not exist, with two dashes",
        ["--bogus=1"],
        "flag provided but not defined: -bogus; see livenessprobe --help",
      ],
      [
        "a negated flag, which Go does not have",
        ["--no-v"],
        "flag provided but not defined: -no-v; see livenessprobe --help",
      ],
      [
        "a flag of a command that is named after it",
        ["--root=/host", "list"],
        "flag provided but not defined: -root; the command comes first: livenessprobe list ...",
      ],
      [
        "a flag after good ones",
        ["--v=1", "--health-port", "0", "--x"],
        "flag provided but not defined: -x; see livenessprobe --help",
      ],
      ["a flag without its value", ["--csi-address"], "flag needs an argument: -csi-address; write --csi-address=PATH"],
      ["three dashes", ["---x"], "bad flag syntax: ---x; write --FLAG or --FLAG=VALUE"],
      ["nothing before the equals sign", ["--=x"], "bad flag syntax: --=x; write --FLAG or --FLAG=VALUE"],
      ["a word as a verbosity", ["-v=x"], '-v must be a whole number from 0 to 2147483647, got "x"'],
      ["a negative verbosity", ["--v", "-1"], '-v must be a whole number from 0 to 2147483647, got "-1"'],
      [
        "a verbosity beyond 31 bits",
        ["--v=2147483648"],
        '-v must be a whole number from 0 to 2147483647, got "2147483648"',
      ],
      [
        "a word as a duration",
        ["--probe-timeout=abc"],
        '--probe-timeout must be a duration such as 3s or 500ms, got "abc"',
      ],
      [
        "a duration without a unit",
        ["--probe-timeout=3"],
        '--probe-timeout must be a duration such as 3s or 500ms, got "3"; write 3s',
      ],
      [
        "a duration in days",
        ["--probe-timeout", "1d"],
        '--probe-timeout must be a duration such as 3s or 500ms, got "1d"; write 24h',
      ],
      [
        "a pattern without a number",
        ["--vmodule=a"],
        '--vmodule must have the form PATTERN=NUMBER,..., such as prober=5, got "a"',
      ],
      ["a bool that is none", ["--automaxprocs=x"], '--automaxprocs must be true or false, got "x"'],
      [
        "of several mistakes, a flag that does not exist before a value",
        ["--v=x", "--bogus"],
        "flag provided but not defined: -bogus; see livenessprobe --help",
      ],
    ])("%s", async (_, flags, text) => {
      const { code, stdout, stderr } = await runSidecar(flags);
      expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: `${text}\n` });
    });
  },
);

describe.concurrent("a word that is not known: what was meant, exit code 1", () => {
  test.each([
    ["a command", ["chekc"], 'unknown command "chekc"; did you mean check?'],
    [
      "unlike with the Go sidecar, a first word that is nowhere near a command",
      ["/csi/csi.sock", "--v=1"],
      'unknown command "/csi/csi.sock"; the commands are serve, check, list, inspect, report, monitor, install, completion, help, version',
    ],
    [
      "a first word that every object has",
      ["toString"],
      'unknown command "toString"; the commands are serve, check, list, inspect, report, monitor, install, completion, help, version',
    ],
    [
      "an empty first word",
      [""],
      'unknown command ""; the commands are serve, check, list, inspect, report, monitor, install, completion, help, version',
    ],
    [
      "a habit that a report does not have",
      ["report", "--json"],
      "flag provided but not defined: -json; see livenessprobe report --help",
    ],
    ["a habit from other programs", ["list", "-ojson"], "flag provided but not defined: -ojson; did you mean -o json?"],
    ["and another", ["list", "-V"], "flag provided but not defined: -V; did you mean --version?"],
    ["a flag of check", ["check", "--wiat=1s"], "flag provided but not defined: -wiat; did you mean --wait?"],
    [
      "a flag of serve alone",
      ["check", "--http-endpoint=:1"],
      "flag provided but not defined: -http-endpoint; see livenessprobe check --help",
    ],
    [
      "a driver's name for list",
      ["list", "ebs.csi.aws.com"],
      'unexpected word "ebs.csi.aws.com": list takes flags only; for one driver write --driver NAME, or livenessprobe inspect NAME',
    ],
    [
      "a habit with a value of its own",
      ["list", "-oyaml"],
      "flag provided but not defined: -oyaml; did you mean -o yaml?",
    ],
    ["a second address", ["check", "/a", "/b"], 'unexpected word "/b": check takes [ADDRESS|DRIVER]'],
    [
      "no driver for inspect",
      ["inspect"],
      "inspect needs ADDRESS|DRIVER: the path of a driver's socket, or a driver's name; livenessprobe list shows both",
    ],
    [
      "a shell that completion does not know",
      ["completion", "tcsh"],
      'completion is for bash, zsh and fish, got "tcsh"',
    ],
    ["a duration of check", ["check", "--wait=1"], '--wait must be a duration such as 3s or 500ms, got "1"; write 1s'],
  ])("%s", async (_, argv, text) => {
    const { code, stdout, stderr } = await runSidecar(argv);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: `${text}\n` });
  });
});

test.concurrent.each([
  [
    "a driver's name",
    ["monitor", "ebs.csi.aws.com"],
    'unexpected word "ebs.csi.aws.com": monitor takes flags only; for one driver write --driver NAME, or livenessprobe inspect NAME',
  ],
  [
    "a habit from other programs",
    ["monitor", "-ojson"],
    "flag provided but not defined: -ojson; did you mean --logging-format=json?",
  ],
  ["a flag", ["monitor", "--intreval=5s"], "flag provided but not defined: -intreval; did you mean --interval?"],
  [
    "a duration",
    ["monitor", "--interval=30"],
    '--interval must be a duration such as 3s or 500ms, got "30"; write 30s',
  ],
])("monitor, which runs in a cluster as serve does, ends with 2 at %s that it cannot read", async (_, argv, text) => {
  const { code, stdout, stderr } = await runSidecar(argv);
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: `${text}\n` });
});

describe.concurrent("the help", () => {
  test.each([
    [["--help"]],
    [["-help"]],
    [["-h"]],
    [["serve", "-h"]],
    [["help"]],
    [["help", "serve"]],
    [["--v=1", "--help", "--bogus"]],
  ])("%j: unlike the Go sidecar's it is on standard output, exit code 0", async (flags) => {
    const { code, stdout, stderr } = await runSidecar(flags);
    expect({ code, stderr, first: stdout.split("\n")[0] }).toEqual({
      code: 0,
      stderr: "",
      first: "Usage: livenessprobe [COMMAND] [--FLAG=VALUE]...",
    });
  });

  test.each([
    ["check", "Usage: livenessprobe check [ADDRESS|DRIVER] [--FLAG=VALUE]..."],
    ["inspect", "Usage: livenessprobe inspect ADDRESS|DRIVER [--FLAG=VALUE]..."],
  ])("of %s is the same as a word and as a flag", async (command, first) => {
    const [word, flag] = await Promise.all([runSidecar(["help", command]), runSidecar([command, "--help"])]);
    expect(word).toEqual(flag);
    expect({ code: word.code, stderr: word.stderr, first: word.stdout.split("\n")[0] }).toEqual({
      code: 0,
      stderr: "",
      first,
    });
  });

  test("fits 80 columns", async () => {
    const { stdout } = await runSidecar(["--help"]);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("names every flag, with its default", async () => {
    const { stdout } = await runSidecar(["--help"]);
    const words = stdout.replace(/\s+/g, " ");
    for (const [name, flag] of flagsOf(SERVE_FLAGS)) {
      expect(words).toContain(` ${dashed(name)} `);
      expect(words).toContain(flag.default ? ` Default: ${flag.default} ` : "");
    }
  });

  test("says of a deprecated flag what to use instead", async () => {
    const { stdout } = await runSidecar(["--help"]);
    expect(stdout).toMatch(/--health-port PORT\n +Deprecated: use --http-endpoint\./);
    expect(stdout).toMatch(/--metrics-address HOST:PORT\n +Deprecated: use --http-endpoint\./);
  });
});

test.each([[["--version"]], [["-version"]], [["serve", "--version"]], [["version"]]])(
  "%j, which the Go sidecar does not have, tells our version, the commit and Bun's version",
  async (flags) => {
    const { code, stdout, stderr } = await runSidecar(flags);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [, version, commit, bun] = /^livenessprobe (\S+) \(commit (\S+), Bun (\S+)\)\n$/.exec(stdout) ?? [];
    expect({ version, bun }).toEqual({ version: packageJson.version, bun: packageJson.devDependencies.bun });
    expect(commit).toMatch(/^([0-9a-f]{40}(-dirty)?|unknown)$/);
  },
);

test("a full disk behind standard output is told in a line, exit code 1", async () => {
  const words = ["sh", "-c", 'exec "$0" --version >/dev/full', EXECUTABLE];
  expect(await runToEnd(words)).toEqual({ code: 1, stdout: "", stderr: "cannot write to standard output: ENOSPC\n" });
});
