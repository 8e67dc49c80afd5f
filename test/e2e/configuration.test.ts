import { describe, expect, test } from "bun:test";
import { parseKlog } from "../support/log-lines";
import { startRecordingDriver } from "../support/recording-driver";
import { runSidecar } from "../support/sidecar";

const alpha = "it belongs to an alpha feature that is off; drop the flag";
const ports = "a port from 0 to 65535 or one of http, https, http-alt";
const path108 = `/${"x".repeat(107)}`;

describe.concurrent(
  "a configuration that cannot work: one line on standard error, exit code 1, and no driver is asked",
  () => {
    test.each([
      [
        "two endpoints for health",
        ["--http-endpoint=:0", "--health-port=1"],
        "Only one of `--health-port` and `--http-endpoint` can be explicitly set",
      ],
      [
        "two endpoints for metrics",
        ["--http-endpoint=:0", "--metrics-address=:0"],
        "Only one of `--metrics-address` and `--http-endpoint` can be explicitly set",
      ],
      ["a format that is none", ["--logging-format=xml"], '--logging-format must be text or json, got "xml"'],
      [
        "vmodule with JSON",
        ["--logging-format=json", "--vmodule=a=1"],
        '--vmodule must not be given with --logging-format=json, got "a=1" (vmodule: Forbidden: Only supported for text log format)',
      ],
      [
        "a flush frequency of nothing",
        ["--log-flush-frequency=0"],
        '--log-flush-frequency: Must be greater than zero, got "0"',
      ],
      ["a buffer", ["--log-text-info-buffer-size=1k"], `--log-text-info-buffer-size must be 0, got "1k": ${alpha}`],
      [
        "a buffer in JSON",
        ["--log-json-info-buffer-size=2Ki"],
        `--log-json-info-buffer-size must be 0, got "2Ki": ${alpha}`,
      ],
      ["an empty address", ["--csi-address="], '--csi-address must not be empty, got ""'],
      ["an authority", ["--csi-address=unix://rel"], '--csi-address must be an absolute path, got "unix://rel"'],
      [
        "unlike the Go sidecar, which waits for ever: a relative path",
        ["--csi-address=csi.sock"],
        '--csi-address must be an absolute path, got "csi.sock"',
      ],
      [
        "unlike the Go sidecar, which takes it: unix: and a relative path",
        ["--csi-address=unix:csi.sock"],
        '--csi-address must be an absolute path, got "unix:csi.sock"',
      ],
      [
        "unlike the Go sidecar, which waits for ever: 108 bytes",
        [`--csi-address=${path108}`],
        `--csi-address must be at most 107 bytes long, got "${path108}"`,
      ],
      [
        "unlike the Go sidecar, which waits for ever: a URL of TCP",
        ["--csi-address=tcp://127.0.0.1:5"],
        '--csi-address must be a unix socket, got "tcp://127.0.0.1:5"',
      ],
      [
        "unlike the Go sidecar, which takes it: a host and port",
        ["--csi-address=127.0.0.1:5"],
        '--csi-address must be a unix socket, got "127.0.0.1:5"',
      ],
      [
        "unlike the Go sidecar, which takes it: a DNS name",
        ["--csi-address=dns:///driver:5"],
        '--csi-address must be a unix socket, got "dns:///driver:5"',
      ],
      [
        "unlike the Go sidecar, which panics: a metrics path without a slash",
        ["--http-endpoint=:0", "--metrics-path=m"],
        '--metrics-path must begin with a slash, got "m"',
      ],
      [
        "unlike the Go sidecar, which panics: an empty metrics path",
        ["--metrics-address=:0", "--metrics-path="],
        '--metrics-path must begin with a slash, got ""',
      ],
      [
        "unlike the Go sidecar, which panics: metrics in the place of health",
        ["--http-endpoint=:0", "--metrics-path=/healthz"],
        '--metrics-path must differ from the healthz endpoint, got "/healthz"',
      ],
      [
        "unlike the Go sidecar, whose every probe fails: no time for a probe",
        ["--probe-timeout=0"],
        '--probe-timeout must be greater than zero, got "0"',
      ],
      [
        "unlike the Go sidecar, whose every probe fails: less than no time for a probe",
        ["--probe-timeout=-1s"],
        '--probe-timeout must be greater than zero, got "-1s"',
      ],
      ["a port that is too large", ["--http-endpoint=:99999"], `--http-endpoint must end in ${ports}, got ":99999"`],
      ["a port that is no port", ["--health-port=abc"], `--health-port must be ${ports}, got "abc"`],
      [
        "a port without its colon",
        ["--http-endpoint=9808"],
        '--http-endpoint must be host:port or :port, got "9808"; write :9808',
      ],
      [
        "an endpoint without a port",
        ["--http-endpoint=localhost"],
        '--http-endpoint must be host:port or :port, got "localhost"; write localhost:9808',
      ],
    ])("%s", async (_, flags, message) => {
      await using driver = await startRecordingDriver();
      const { code, stdout, stderr } = await runSidecar([
        "--csi-address",
        driver.socketPath,
        "--health-port=9808",
        ...flags,
      ]);
      const line = parseKlog(stderr.replace(/\n$/, ""));
      expect({ code, stdout, severity: line.severity, message: line.message, values: line.values }).toEqual({
        code: 1,
        stdout: "",
        severity: "E",
        message: message.replaceAll('"', '\\"'),
        values: {},
      });
      expect(driver.connections).toEqual([]);
    });
  },
);

test("the line is klog's text even where JSON was asked for", async () => {
  const { code, stderr } = await runSidecar(["--logging-format=json", "--csi-address="]);
  expect({ code, message: parseKlog(stderr.trimEnd()).message }).toEqual({
    code: 1,
    message: '--csi-address must not be empty, got \\"\\"',
  });
});
