import { expect, test } from "bun:test";
import { SERVE, readArgv } from "../../src/cli/argv";
import { flagDefault, FLAGS } from "../../src/cli/flags";
import type { Flag } from "../../src/cli/flags";
import { readOptions } from "../../src/cli/options";

const all: readonly Flag[] = FLAGS;

test("the flags, types and defaults are those of the Go sidecar, and version", () => {
  expect(FLAGS.map(({ name, type, default: value }) => `${name} ${type} ${value}`.trim())).toEqual([
    "csi-address string /run/csi/socket",
    "probe-timeout duration 3s",
    "http-endpoint string",
    "metrics-path string /metrics",
    "v uint 0",
    "vmodule vmodule",
    "logging-format string text",
    "version bool false",
    "help bool false",
    "h bool false",
    "health-port string 9808",
    "metrics-address string",
    "automaxprocs bool false",
    "log-flush-frequency duration 5s",
    "log-text-split-stream bool false",
    "log-json-split-stream bool false",
    "log-text-info-buffer-size quantity 0",
    "log-json-info-buffer-size quantity 0",
  ]);
});

test.each(all.filter((flag) => flag.name !== "help" && flag.name !== "h"))("$name takes its own default", (flag) => {
  const argv = readArgv([`--${flag.name}=${flag.default}`], [SERVE]);
  expect(argv).toEqual({ kind: "run", command: "serve", values: { [flag.name]: flag.default }, words: [] });
});

test("the defaults written out are what no flags mean", () => {
  const written = Object.fromEntries(FLAGS.map((flag) => [flag.name, flag.default]));
  expect(readOptions(written)).toEqual(readOptions({}));
});

test("a deprecated flag names one to use instead", () => {
  const instead = all.flatMap(({ name, deprecated }) => (deprecated === undefined ? [] : [`--${name}: ${deprecated}`]));
  expect(instead).toEqual(["--health-port: --http-endpoint", "--metrics-address: --http-endpoint"]);
});

test.each(all)("$name is explained in sentences", (flag) => {
  expect(flag.help).toMatch(/^[A-Z].*\.$/);
});

test("a flag's default is found by its name", () => {
  expect([flagDefault("csi-address"), flagDefault("vmodule")]).toEqual(["/run/csi/socket", ""]);
});
