import { expect, test } from "bun:test";
import { flagsOf } from "../../src/cli/argv";
import { SERVE_FLAGS } from "../../src/cli/flags";
import { readServeFlags } from "../support/serve-flags";

const all = flagsOf(SERVE_FLAGS);

test("the flags, kinds and defaults are those of the Go sidecar, and version", () => {
  expect(all.map(([name, flag]) => `${name} ${flag.type} ${flag.default}`.trim())).toEqual([
    "csi-address string /run/csi/socket",
    "probe-timeout string 3s",
    "http-endpoint string",
    "metrics-path string /metrics",
    "v string 0",
    "vmodule string",
    "logging-format string text",
    "log-text-split-stream boolean false",
    "log-json-split-stream boolean false",
    "version boolean false",
    "help boolean false",
    "health-port string 9808",
    "metrics-address string",
    "automaxprocs boolean false",
    "log-flush-frequency string 5s",
    "log-text-info-buffer-size string 0",
    "log-json-info-buffer-size string 0",
  ]);
});

test("the defaults written out are what no flags mean", async () => {
  const written = all.filter(([name]) => name !== "help").map(([name, flag]) => `--${name}=${flag.default}`);
  expect(await readServeFlags(written)).toEqual(await readServeFlags([]));
});

test("a deprecated flag names one to use instead", () => {
  const instead = all.flatMap(([name, { deprecated }]) => (deprecated === undefined ? [] : [`${name}: ${deprecated}`]));
  expect(instead).toEqual(["health-port: --http-endpoint", "metrics-address: --http-endpoint"]);
});
