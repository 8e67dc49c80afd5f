import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../src/base/errors";
import { readOptions } from "../../src/cli/options";
import type { MetricsOptions } from "../../src/cli/options";

type Values = Readonly<Record<string, string>>;

const defaultHealth = { flag: "--health-port", text: "9808", hostname: undefined, port: 9808 };

test("no flags are the Go sidecar's defaults", () => {
  expect(readOptions({})).toEqual({
    csiSocketPath: "/run/csi/socket",
    csiAddress: "/run/csi/socket",
    probeTimeoutMs: 3000,
    health: defaultHealth,
    metrics: { kind: "none" },
    log: { format: "text", verbosity: 0, vmodule: [] },
  });
});

test("every flag that means something", () => {
  const options = readOptions({
    "csi-address": "unix:///csi/csi.sock",
    "probe-timeout": "1m0.5s",
    "http-endpoint": "localhost:http",
    "metrics-path": "/m",
    v: "5",
    vmodule: "prober=4,",
  });
  expect(options).toEqual({
    csiSocketPath: "/csi/csi.sock",
    csiAddress: "unix:///csi/csi.sock",
    probeTimeoutMs: 60_500,
    health: { flag: "--http-endpoint", text: "localhost:http", hostname: "localhost", port: 80 },
    metrics: { kind: "withHealth", path: "/m" },
    log: { format: "text", verbosity: 5, vmodule: [{ pattern: "prober", verbosity: 4 }] },
  });
});

describe("who listens where", () => {
  const onAll = { flag: "--http-endpoint", text: ":1", hostname: undefined, port: 1 };

  test.each([
    [
      "a health port serves no metrics",
      { "health-port": "1" },
      { ...defaultHealth, text: "1", port: 1 },
      { kind: "none" },
    ],
    ["an endpoint serves both", { "http-endpoint": ":1" }, onAll, { kind: "withHealth", path: "/metrics" }],
    [
      "an endpoint beside the default health port, given",
      { "http-endpoint": ":1", "health-port": "9808" },
      onAll,
      { kind: "withHealth", path: "/metrics" },
    ],
    ["empty addresses are none", { "http-endpoint": "", "metrics-address": "" }, defaultHealth, { kind: "none" }],
    ["a metrics address of its own", { "metrics-address": ":2" }, defaultHealth, apart(":2", undefined, 2)],
    ["a metrics address on one host", { "metrics-address": "[::1]:2" }, defaultHealth, apart("[::1]:2", "::1", 2)],
    [
      "two ports of the kernel's choice",
      { "health-port": "0", "metrics-address": ":0" },
      { ...defaultHealth, text: "0", port: 0 },
      apart(":0", undefined, 0),
    ],
  ] as const)("%s", (_, values, health, metrics) => {
    const options = readOptions(values);
    expect({ health: options.health, metrics: options.metrics }).toEqual({ health, metrics });
  });
});

describe("flags that are accepted and change nothing", () => {
  test.each<[string, Values]>([
    ["automaxprocs", { automaxprocs: "true" }],
    ["a flush frequency", { "log-flush-frequency": "1ns" }],
    ["split streams, denied", { "log-text-split-stream": "F", "log-json-split-stream": "false" }],
    ["buffers of no size", { "log-text-info-buffer-size": "0Ki", "log-json-info-buffer-size": "0" }],
    ["buffers of no size in other words", { "log-text-info-buffer-size": "-0.00e3", "log-json-info-buffer-size": "k" }],
    ["a metrics path that cannot work where none are served", { "metrics-path": "metrics{" }],
    ["an empty vmodule", { vmodule: "," }],
  ])("%s", (_, values) => {
    expect(readOptions(values)).toEqual(readOptions({}));
  });

  test("an empty vmodule goes with json", () => {
    expect(readOptions({ "logging-format": "json", vmodule: "," }).log).toEqual({
      format: "json",
      verbosity: 0,
      vmodule: [],
    });
  });
});

describe("the driver and the timeout", () => {
  test.each<[Values, string]>([
    [{ "csi-address": "csi.sock" }, '--csi-address must be an absolute path, got "csi.sock"'],
    [{ "csi-address": "" }, '--csi-address must not be empty, got ""'],
    [{ "csi-address": "/a\nb" }, '--csi-address must not contain control characters, got "/a\\nb"'],
    [{ "probe-timeout": "-1s" }, '--probe-timeout must be greater than zero, got "-1s"'],
    [{ "probe-timeout": "0" }, '--probe-timeout must be greater than zero, got "0"'],
    [{ "probe-timeout": "596h0.001s" }, '--probe-timeout must be at most 596h0m0s, got "596h0.001s"'],
    [{ "probe-timeout": "soon" }, '--probe-timeout must be a duration such as "3s", got "soon"'],
  ])("%j", expectRefusal);

  test.each([
    ["the longest timeout", "2145600s", 2_145_600_000],
    ["a millisecond", "1ms", 1],
  ])("%s", (_, text, probeTimeoutMs) => {
    expect(readOptions({ "probe-timeout": text }).probeTimeoutMs).toBe(probeTimeoutMs);
  });
});

describe("listeners that cannot be", () => {
  test.each<[Values, string]>([
    [{ "http-endpoint": ":1", "health-port": "2" }, bothSet("--health-port")],
    [{ "http-endpoint": ":1", "health-port": "09808" }, bothSet("--health-port")],
    [{ "http-endpoint": ":1", "metrics-address": ":2" }, bothSet("--metrics-address")],
    [{ "http-endpoint": "localhost" }, '--http-endpoint must be host:port or :port, got "localhost"'],
    [
      { "health-port": "65536" },
      '--health-port must be a port from 0 to 65535 or one of http, https, http-alt, got "65536"',
    ],
    [
      { "metrics-address": "::1:2" },
      '--metrics-address must have its IPv6 address in brackets, as in [::1]:9808, got "::1:2"',
    ],
    [{ "metrics-address": ":9808" }, '--metrics-address must have another port than --health-port 9808, got ":9808"'],
    [
      { "metrics-address": "127.0.0.1:http", "health-port": "80" },
      '--metrics-address must have another port than --health-port 80, got "127.0.0.1:http"',
    ],
  ])("%j", expectRefusal);
});

describe("a metrics path", () => {
  const plain = "--metrics-path must be a plain URL path, such as /metrics, got";
  test.each([
    ["", '--metrics-path must begin with a slash, got ""'],
    ["metrics", '--metrics-path must begin with a slash, got "metrics"'],
    ["/healthz", '--metrics-path must differ from the healthz endpoint, got "/healthz"'],
    ["/m?x=1", `${plain} "/m?x=1"`],
    ["/m#x", `${plain} "/m#x"`],
    ["/m m", `${plain} "/m m"`],
    ["/m\n", `${plain} "/m\\n"`],
    ["/{m}", `${plain} "/{m}"`],
    ["/%6d", `${plain} "/%6d"`],
    ["//m", `${plain} "//m"`],
    ["/a/../m", `${plain} "/a/../m"`],
    ["/m/.", `${plain} "/m/."`],
  ])("%j is refused wherever metrics are served", (path, message) => {
    expectRefusal({ "http-endpoint": ":1", "metrics-path": path }, message);
    expectRefusal({ "metrics-address": ":1", "metrics-path": path }, message);
  });

  test.each(["/m", "/healthz/metrics", "/a.b/..c/m_1~x", "/metrics/", "/"])("%j is taken", (path) => {
    expect(readOptions({ "http-endpoint": ":1", "metrics-path": path }).metrics).toEqual({ kind: "withHealth", path });
  });
});

describe("logging that cannot be", () => {
  const alpha = "it belongs to an alpha feature that is off; drop the flag";
  test.each<[Values, string]>([
    [{ "logging-format": "xml" }, '--logging-format must be text or json, got "xml"'],
    [{ "logging-format": "JSON" }, '--logging-format must be text or json, got "JSON"'],
    [
      { "logging-format": "json", vmodule: "a=1" },
      '--vmodule must not be given with --logging-format=json, got "a=1" (vmodule: Forbidden: Only supported for text log format)',
    ],
    [{ vmodule: "a" }, '--vmodule must have the form pattern=N,..., got "a"'],
    [{ "log-flush-frequency": "0" }, '--log-flush-frequency: Must be greater than zero, got "0"'],
    [{ "log-flush-frequency": "-1s" }, '--log-flush-frequency: Must be greater than zero, got "-1s"'],
    [{ "log-text-split-stream": "true" }, `--log-text-split-stream must be false, got "true": ${alpha}`],
    [{ "log-json-split-stream": "1" }, `--log-json-split-stream must be false, got "1": ${alpha}`],
    [{ "log-text-info-buffer-size": "1k" }, `--log-text-info-buffer-size must be 0, got "1k": ${alpha}`],
    [{ "log-json-info-buffer-size": "0.01m" }, `--log-json-info-buffer-size must be 0, got "0.01m": ${alpha}`],
    [{ "log-json-info-buffer-size": "2Ki" }, `--log-json-info-buffer-size must be 0, got "2Ki": ${alpha}`],
  ])("%j", expectRefusal);

  test("is told before a conflict of addresses, as in Go", () => {
    expectRefusal(
      { "logging-format": "xml", "http-endpoint": ":1", "metrics-address": ":2" },
      '--logging-format must be text or json, got "xml"',
    );
  });
});

/** Metrics on a listener of their own. */
function apart(text: string, hostname: string | undefined, port: number): MetricsOptions {
  return { kind: "separate", listen: { flag: "--metrics-address", text, hostname, port }, path: "/metrics" };
}

function bothSet(flag: string): string {
  return `Only one of \`${flag}\` and \`--http-endpoint\` can be explicitly set`;
}

function expectRefusal(values: Values, message: string): void {
  expect(refusalOf(values)).toEqual({ name: "ConfigError", exitCode: 1, message });
}

function refusalOf(values: Values): unknown {
  try {
    return readOptions(values);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { name: error.name, exitCode: error.exitCode, message: error.message };
  }
}
