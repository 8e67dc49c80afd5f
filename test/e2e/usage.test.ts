import { describe, expect, test } from "bun:test";
import packageJson from "../../package.json" with { type: "json" };
import { FLAGS } from "../../src/flags";
import { runSidecar } from "../support/sidecar";

describe.concurrent("what the flag parser refuses: its text and the usage on standard error, exit code 2", () => {
  const digits = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";
  test.each([
    ["a flag that does not exist", ["-bogus"], "flag provided but not defined: -bogus"],
    ["a flag that does not exist, with two dashes", ["--bogus=1"], "flag provided but not defined: -bogus"],
    ["a negated flag, which Go does not have", ["--no-v"], "flag provided but not defined: -no-v"],
    ["a flag after good ones", ["--v=1", "--health-port", "0", "--x"], "flag provided but not defined: -x"],
    ["a flag without its value", ["--csi-address"], "flag needs an argument: -csi-address"],
    ["three dashes", ["---x"], "bad flag syntax: ---x"],
    ["nothing before the equals sign", ["--=x"], "bad flag syntax: --=x"],
    [
      "a word as a verbosity",
      ["-v=x"],
      'invalid value "x" for flag -v: strconv.ParseUint: parsing "x": invalid syntax',
    ],
    [
      "a negative verbosity",
      ["--v", "-1"],
      'invalid value "-1" for flag -v: strconv.ParseUint: parsing "-1": invalid syntax',
    ],
    [
      "a verbosity beyond 31 bits",
      ["--v=2147483648"],
      'invalid value "2147483648" for flag -v: strconv.ParseUint: parsing "2147483648": value out of range',
    ],
    ["a word as a duration", ["--probe-timeout=abc"], 'invalid value "abc" for flag -probe-timeout: parse error'],
    ["a duration without a unit", ["--probe-timeout=3"], 'invalid value "3" for flag -probe-timeout: parse error'],
    ["a duration in days", ["--probe-timeout", "1d"], 'invalid value "1d" for flag -probe-timeout: parse error'],
    [
      "a pattern without a number",
      ["--vmodule=a"],
      'invalid value "a" for flag -vmodule: "a" does not have the pattern=N format',
    ],
    [
      "a bool that is none",
      ["--automaxprocs=x"],
      'invalid boolean value "x" for -automaxprocs: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    [
      "a capital kilo",
      ["--log-text-info-buffer-size=1K"],
      'invalid value "1K" for flag -log-text-info-buffer-size: unable to parse quantity\'s suffix',
    ],
    [
      "a word as a quantity",
      ["--log-json-info-buffer-size=x"],
      `invalid value "x" for flag -log-json-info-buffer-size: quantities must match the regular expression '${digits}'`,
    ],
  ])("%s", async (_, flags, text) => {
    const { code, stdout, stderr } = await runSidecar(flags);
    const [first, second] = stderr.split("\n");
    expect({ code, stdout, first, second }).toEqual({
      code: 2,
      stdout: "",
      first: text,
      second: "Usage: livenessprobe [COMMAND] [--FLAG=VALUE | --FLAG VALUE]...",
    });
  });
});

describe.concurrent("a word that is not known: what was meant, exit code 1", () => {
  test.each([
    [
      "a command",
      ["chekc"],
      'unknown command "chekc": the commands are serve, check, list, inspect, install; see --help; did you mean check?',
    ],
    [
      "unlike with the Go sidecar, a first word that is nowhere near a command",
      ["/csi/csi.sock", "--v=1"],
      'unknown command "/csi/csi.sock": the commands are serve, check, list, inspect, install; see --help',
    ],
    [
      "a first word that every object has",
      ["toString"],
      'unknown command "toString": the commands are serve, check, list, inspect, install; see --help',
    ],
    [
      "an empty first word",
      [""],
      'unknown command "": the commands are serve, check, list, inspect, install; see --help',
    ],
    ["a flag of check", ["check", "--wiat=1s"], "flag provided but not defined: -wiat; did you mean --wait?"],
    ["a flag of serve alone", ["check", "--http-endpoint=:1"], "flag provided but not defined: -http-endpoint"],
    ["a second address", ["check", "/a", "/b"], 'unexpected word "/b": check takes [ADDRESS]'],
  ])("%s", async (_, argv, text) => {
    const { code, stdout, stderr } = await runSidecar(argv);
    expect({ code, stdout, first: stderr.split("\n")[0] }).toEqual({ code: 1, stdout: "", first: text });
  });
});

describe.concurrent("the help", () => {
  test.each([[["--help"]], [["-help"]], [["-h"]], [["serve", "-h"]], [["--v=1", "--help", "--bogus"]]])(
    "%j: unlike the Go sidecar's it is on standard output, exit code 0",
    async (flags) => {
      const { code, stdout, stderr } = await runSidecar(flags);
      expect({ code, stderr, first: stdout.split("\n")[0] }).toEqual({
        code: 0,
        stderr: "",
        first: "Usage: livenessprobe [COMMAND] [--FLAG=VALUE | --FLAG VALUE]...",
      });
    },
  );

  test("fits 80 columns", async () => {
    const { stdout } = await runSidecar(["--help"]);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("names every flag, with its default", async () => {
    const { stdout } = await runSidecar(["--help"]);
    const words = stdout.replace(/\s+/g, " ");
    for (const { name, type, default: value } of FLAGS) {
      expect(words).toContain(name.length === 1 ? ` -${name} ` : ` --${name} `);
      expect(words).toContain(value === "" || type === "bool" ? "" : ` Default: ${value} `);
    }
  });

  test("says of a deprecated flag what to use instead", async () => {
    const { stdout } = await runSidecar(["--help"]);
    expect(stdout).toMatch(/--health-port TEXT\n +Deprecated: use --http-endpoint\./);
    expect(stdout).toMatch(/--metrics-address TEXT\n +Deprecated: use --http-endpoint\./);
  });
});

test.each([[["--version"]], [["-version"]], [["serve", "--version"]]])(
  "%j, which the Go sidecar does not have, tells our version, the commit and Bun's version",
  async (flags) => {
    const { code, stdout, stderr } = await runSidecar(flags);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [, version, commit, bun] = /^livenessprobe (\S+) \(commit (\S+), Bun (\S+)\)\n$/.exec(stdout) ?? [];
    expect({ version, bun }).toEqual({ version: packageJson.version, bun: packageJson.devDependencies.bun });
    expect(commit).toMatch(/^([0-9a-f]{40}(-dirty)?|unknown)$/);
  },
);
