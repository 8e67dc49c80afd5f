import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../src/base/errors";
import { UsageError } from "../../src/cli/command";
import type { Endpoint, Options } from "../../src/cli/options";
import { readServeFlags } from "../support/serve-flags";

type Values = Readonly<Record<string, string>>;

const defaultHealth = { flag: "--health-port", text: "9808", hostname: undefined, port: 9808 };

test("no flags are the Go sidecar's defaults", async () => {
  expect(await read({})).toEqual({
    csiSocketPath: "/run/csi/socket",
    csiAddress: "/run/csi/socket",
    probeTimeoutMs: 3000,
    endpoints: [{ listener: defaultHealth, probes: true, metricsPath: undefined }],
    unusedMetricsPath: undefined,
    log: { format: "text", verbosity: 0, vmodule: [], splitStream: false },
  });
});

test("every flag that means something", async () => {
  const options = await read({
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
    endpoints: [
      {
        listener: { flag: "--http-endpoint", text: "localhost:http", hostname: "localhost", port: 80 },
        probes: true,
        metricsPath: "/m",
      },
    ],
    unusedMetricsPath: undefined,
    log: { format: "text", verbosity: 5, vmodule: [{ pattern: "prober", verbosity: 4 }], splitStream: false },
  });
});

describe("who listens where", () => {
  const onAll = { flag: "--http-endpoint", text: ":1", hostname: undefined, port: 1 };

  const onPort0 = { ...defaultHealth, text: "0", port: 0 };

  test.each<readonly [string, Values, readonly Endpoint[]]>([
    ["a health port serves no metrics", { "health-port": "1" }, [probesOn({ ...defaultHealth, text: "1", port: 1 })]],
    ["an endpoint serves both", { "http-endpoint": ":1" }, [probesOn(onAll, "/metrics")]],
    [
      "an endpoint beside the default health port, given",
      { "http-endpoint": ":1", "health-port": "9808" },
      [probesOn(onAll, "/metrics")],
    ],
    ["empty addresses are none", { "http-endpoint": "", "metrics-address": "" }, [probesOn(defaultHealth)]],
    [
      "a metrics address of its own",
      { "metrics-address": ":2" },
      [probesOn(defaultHealth), metricsOn(":2", undefined, 2)],
    ],
    [
      "a metrics address on one host",
      { "metrics-address": "[::1]:2" },
      [probesOn(defaultHealth), metricsOn("[::1]:2", "::1", 2)],
    ],
    [
      "two ports of the kernel's choice",
      { "health-port": "0", "metrics-address": ":0" },
      [probesOn(onPort0), metricsOn(":0", undefined, 0)],
    ],
  ])("%s", async (_, values, endpoints) => {
    expect(await read(values)).toMatchObject({ endpoints, unusedMetricsPath: undefined });
  });

  test("a metrics path where none are served, which is warned of", async () => {
    const endpoints = [probesOn(defaultHealth)];
    expect(await read({ "metrics-path": "metrics{" })).toMatchObject({ endpoints, unusedMetricsPath: "metrics{" });
  });
});

describe("flags that are accepted and change nothing", () => {
  test.each<[string, Values]>([
    ["automaxprocs", { automaxprocs: "true" }],
    ["a flush frequency", { "log-flush-frequency": "1ns" }],
    ["split streams, denied", { "log-text-split-stream": "F", "log-json-split-stream": "false" }],
    ["buffers of no size", { "log-text-info-buffer-size": "0Ki", "log-json-info-buffer-size": "0" }],
    ["buffers of no size in other words", { "log-text-info-buffer-size": "-0.00e3", "log-json-info-buffer-size": "k" }],
    ["an empty vmodule", { vmodule: "," }],
  ])("%s", async (_, values) => {
    expect(await read(values)).toEqual(await read({}));
  });

  test("an empty vmodule goes with json", async () => {
    expect((await read({ "logging-format": "json", vmodule: "," })).log).toEqual({
      format: "json",
      verbosity: 0,
      vmodule: [],
      splitStream: false,
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
  ])("%j", expectRefusal);

  test.each([
    ["the longest timeout", "2145600s", 2_145_600_000],
    ["a millisecond", "1ms", 1],
  ])("%s", async (_, text, probeTimeoutMs) => {
    expect((await read({ "probe-timeout": text })).probeTimeoutMs).toBe(probeTimeoutMs);
  });
});

describe("listeners that cannot be", () => {
  test.each<[Values, string]>([
    [{ "http-endpoint": ":1", "health-port": "2" }, bothSet("--health-port")],
    [{ "http-endpoint": ":1", "health-port": "09808" }, bothSet("--health-port")],
    [{ "http-endpoint": ":1", "metrics-address": ":2" }, bothSet("--metrics-address")],
    [
      { "http-endpoint": "localhost" },
      '--http-endpoint must be host:port or :port, got "localhost"; write localhost:9808',
    ],
    [{ "http-endpoint": "9808" }, '--http-endpoint must be host:port or :port, got "9808"; write :9808'],
    [
      { "health-port": "65536" },
      '--health-port must be a port from 0 to 65535 or one of http, https, http-alt, got "65536"',
    ],
    [
      { "metrics-address": "::1:2" },
      '--metrics-address must have its IPv6 address in brackets, as in [::1]:9808, got "::1:2"; write [::1]:2',
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
  ])("%j is refused wherever metrics are served", async (path, message) => {
    await expectRefusal({ "http-endpoint": ":1", "metrics-path": path }, message);
    await expectRefusal({ "metrics-address": ":1", "metrics-path": path }, message);
  });

  test.each(["/m", "/healthz/metrics", "/a.b/..c/m_1~x", "/metrics/", "/"])("%j is taken", async (path) => {
    expect(await read({ "http-endpoint": ":1", "metrics-path": path })).toMatchObject({
      endpoints: [{ metricsPath: path }],
    });
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
    [{ "log-flush-frequency": "0" }, '--log-flush-frequency: Must be greater than zero, got "0"'],
    [{ "log-flush-frequency": "-1s" }, '--log-flush-frequency: Must be greater than zero, got "-1s"'],
    [{ "log-text-info-buffer-size": "1k" }, `--log-text-info-buffer-size must be 0, got "1k": ${alpha}`],
    [{ "log-json-info-buffer-size": "0.01m" }, `--log-json-info-buffer-size must be 0, got "0.01m": ${alpha}`],
    [{ "log-json-info-buffer-size": "2Ki" }, `--log-json-info-buffer-size must be 0, got "2Ki": ${alpha}`],
    [{ "log-text-info-buffer-size": "1K" }, `--log-text-info-buffer-size must be 0, got "1K": ${alpha}`],
    [{ "log-text-info-buffer-size": "Ei" }, `--log-text-info-buffer-size must be 0, got "Ei": ${alpha}`],
    [{ "log-text-info-buffer-size": "+.Pi" }, `--log-text-info-buffer-size must be 0, got "+.Pi": ${alpha}`],
    [{ "log-text-info-buffer-size": "" }, `--log-text-info-buffer-size must be 0, got "": ${alpha}`],
  ])("%j", expectRefusal);

  test("is told before a conflict of addresses, as in Go", async () => {
    await expectRefusal(
      { "logging-format": "xml", "http-endpoint": ":1", "metrics-address": ":2" },
      '--logging-format must be text or json, got "xml"',
    );
  });
});

describe("values that Go's flag package could not read either", () => {
  const verbosity = "must be a whole number from 0 to 2147483647, got";
  const vmodule = "must have the form PATTERN=NUMBER,..., such as prober=5, got";
  const duration = "must be a duration such as 3s or 500ms, got";
  test.each<[Values, string]>([
    [{ v: "x" }, `-v ${verbosity} "x"`],
    [{ v: "" }, `-v ${verbosity} ""`],
    [{ v: "-1" }, `-v ${verbosity} "-1"`],
    [{ v: "1.5" }, `-v ${verbosity} "1.5"`],
    [{ v: "1\n" }, `-v ${verbosity} "1\\n"`],
    [{ v: "2147483648" }, `-v ${verbosity} "2147483648"`],
    [{ "probe-timeout": "3" }, `--probe-timeout ${duration} "3"; write 3s`],
    [{ "probe-timeout": "0.5" }, `--probe-timeout ${duration} "0.5"; write 0.5s`],
    [{ "probe-timeout": "2d" }, `--probe-timeout ${duration} "2d"; write 48h`],
    [{ "probe-timeout": "soon" }, `--probe-timeout ${duration} "soon"`],
    [{ "probe-timeout": "" }, `--probe-timeout ${duration} ""`],
    [{ "log-flush-frequency": "1d" }, `--log-flush-frequency ${duration} "1d"; write 24h`],
    [{ vmodule: "a" }, `--vmodule ${vmodule} "a"`],
    [{ vmodule: "a=1,=2" }, `--vmodule ${vmodule} "a=1,=2"`],
    [{ vmodule: "a=b=1" }, `--vmodule ${vmodule} "a=b=1"`],
    [{ vmodule: "a=x" }, `--vmodule ${vmodule} "a=x"`],
    [{ vmodule: "a=2147483648" }, `--vmodule ${vmodule} "a=2147483648"`],
  ])("%j", async (values, message) => {
    expect(await refusalOf(values)).toEqual({ name: "UsageError", message });
  });

  test.each([
    ["the largest verbosity", { v: "2147483647" }, { verbosity: 2_147_483_647 }],
    ["a split stream", { "log-text-split-stream": "T" }, { format: "text", splitStream: true }],
    ["a split stream in JSON", { "logging-format": "json", "log-json-split-stream": "1" }, { splitStream: true }],
    ["the other format's split stream", { "log-json-split-stream": "true" }, { splitStream: false }],
    ["commas alone", { vmodule: ",," }, { vmodule: [] }],
    ["one pattern", { vmodule: "prober=5" }, { vmodule: [{ pattern: "prober", verbosity: 5 }] }],
    [
      "two, a wildcard and a trailing comma",
      { vmodule: "csi*=4,http=0," },
      {
        vmodule: [
          { pattern: "csi*", verbosity: 4 },
          { pattern: "http", verbosity: 0 },
        ],
      },
    ],
  ] as const)("but %s is taken", async (_, values, log) => {
    expect((await read(values)).log).toMatchObject(log);
  });
});

function probesOn(listener: Endpoint["listener"], metricsPath?: string): Endpoint {
  return { listener, probes: true, metricsPath };
}

function metricsOn(text: string, hostname: string | undefined, port: number): Endpoint {
  return { listener: { flag: "--metrics-address", text, hostname, port }, probes: false, metricsPath: "/metrics" };
}

function bothSet(flag: string): string {
  return `Only one of \`${flag}\` and \`--http-endpoint\` can be explicitly set`;
}

/** @param values the text of each flag that is given */
function read(values: Values): Promise<Options> {
  return readServeFlags(Object.entries(values).map(([name, text]) => `--${name}=${text}`));
}

async function expectRefusal(values: Values, message: string): Promise<void> {
  expect(await refusalOf(values)).toEqual({ name: "ConfigError", exitCode: 1, message });
}

async function refusalOf(values: Values): Promise<unknown> {
  try {
    return await read(values);
  } catch (error) {
    if (error instanceof UsageError) return { name: error.name, message: error.message };
    if (!(error instanceof ConfigError)) throw error;
    return { name: error.name, exitCode: error.exitCode, message: error.message };
  }
}
