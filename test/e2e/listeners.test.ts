import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { temporaryDirectory } from "../../scripts/temporary";
import { EXECUTABLE, behindShell, copyExecutable } from "../support/executable";
import { startRecordingDriver } from "../support/recording-driver";
import { parseKlog, says } from "../support/log-lines";
import { type Sidecar, runSidecar, startSidecar } from "../support/sidecar";
import { NOBODY_UID } from "../support/socket-cases";
import { usable } from "../support/usable";
import { waitUntil } from "../support/wait";

const hasIpv6 = /^0{31}1 /m.test(readIfThere("/proc/net/if_inet6"));
if (!hasIpv6) console.warn("The tests over IPv6 are skipped: ::1 is not up here.");

describe.concurrent.if(hasIpv6)("who listens where", () => {
  const both = ["127.0.0.1", "[::1]"];
  test.each([
    ["--health-port=0: IPv4 and IPv6", "--health-port=0", both],
    [":0: IPv4 and IPv6", "--http-endpoint=:0", both],
    ["0.0.0.0:0: IPv4 and IPv6", "--http-endpoint=0.0.0.0:0", both],
    ["[::]:0: IPv4 and IPv6", "--http-endpoint=[::]:0", both],
    ["127.0.0.1:0: that one", "--http-endpoint=127.0.0.1:0", ["127.0.0.1"]],
    ["[::1]:0: that one", "--http-endpoint=[::1]:0", ["[::1]"]],
  ])("%s", async (_, flag, hosts) => {
    await using sidecar = await startSidecar([flag]);
    const { port } = new URL(sidecar.url);
    const reached = await Promise.all(both.map((host) => isReached(`http://${host}:${port}/`)));
    expect(both.filter((__, index) => reached[index])).toEqual(hosts);
  });
});

test.concurrent("a metrics path where no metrics are served is warned of", async () => {
  await using sidecar = await startSidecar(["--health-port=0", "--metrics-path=/m"]);
  const line = await sidecar.waitForLog(
    says("Ignoring --metrics-path: metrics need --http-endpoint or --metrics-address"),
  );
  expect({ severity: parseKlog(line).severity, values: parseKlog(line).values }).toEqual({
    severity: "W",
    values: { metricsPath: '"/m"' },
  });
});

test.concurrent("localhost is one of its addresses, and no more", async () => {
  await using sidecar = await startSidecar(["--http-endpoint=localhost:0"]);
  const address = await addressOf(sidecar, "--http-endpoint");
  expect(address).toMatch(/^(localhost|127\.0\.0\.1|\[::1\]):[1-9]\d*$/);
  expect((await fetch(`http://${address}/`)).status).toBe(404);
});

describe.concurrent("metrics are served", () => {
  test.each([
    ["with an endpoint, on it", ["--http-endpoint=127.0.0.1:0"], { "--http-endpoint": [500, 200] }],
    ["with a health port alone, nowhere", ["--health-port=0"], { "--health-port": [500, 404] }],
    [
      "with a metrics address, there alone, and health is not",
      ["--health-port=0", "--metrics-address=127.0.0.1:0"],
      { "--health-port": [500, 404], "--metrics-address": [404, 200] },
    ],
  ])("%s", async (_, flags, statuses) => {
    await using sidecar = await startSidecar([...flags, "--probe-timeout=50ms", "--csi-address=/nowhere/csi.sock"]);
    const seen = Object.keys(statuses).map(async (flag) => {
      const url = `http://${await addressOf(sidecar, flag)}`.replace("[::]", "127.0.0.1");
      const answers = await Promise.all(["/healthz", "/metrics"].map((path) => fetch(url + path)));
      return [flag, answers.map(({ status }) => status)];
    });
    expect(Object.fromEntries(await Promise.all(seen))).toEqual(statuses);
  });

  test("where --metrics-path says, and nowhere else", async () => {
    await using sidecar = await startSidecar(["--http-endpoint=127.0.0.1:0", "--metrics-path=/a/m"]);
    const statuses = ["/a/m", "/metrics", "/a/m/"].map(async (path) => (await sidecar.get(path)).status);
    expect(await Promise.all(statuses)).toEqual([200, 404, 404]);
  });
});

const UNKNOWN_HOST = "the host name is unknown; use an address of this host, or :PORT for all of them";

describe.concurrent(
  "unlike the Go sidecar, which exits 0 for one of them, a listener that cannot be is one line, exit code 1, and no driver is asked",
  () => {
    const inUse = "the port is in use; choose another port, or stop the process that uses it";
    test.each([
      ["an endpoint whose port is in use", "--http-endpoint", "127.0.0.1:PORT", inUse],
      ["an endpoint on every address whose port is in use on one", "--http-endpoint", ":PORT", inUse],
      ["a health port that is in use", "--health-port", "PORT", inUse],
      ["a metrics address whose port is in use", "--metrics-address", "localhost:PORT", inUse],
      [
        "an address of another host",
        "--http-endpoint",
        "192.0.2.1:9808",
        "this host has no such address; use one of its own, or :PORT for all of them",
      ],
      ["a name that is none", "--http-endpoint", "a..b:9808", UNKNOWN_HOST],
    ])("%s", async (_, flag, text, why) => {
      await using holder = await holdPort();
      await using driver = await startRecordingDriver();
      const value = text.replace("PORT", String(holder.port));
      const health = flag === "--metrics-address" ? ["--health-port=0"] : [];
      const finished = await runSidecar([...health, `${flag}=${value}`, "--csi-address", driver.socketPath]);
      expect(refusalOf(finished)).toEqual({ code: 1, stdout: "", message: refusal(flag, value, why) });
      expect(driver.connections).toEqual([]);
    });
  },
);

// The kernel would hand each the other's callers: a healthy driver would be restarted for the other one's failure.
test.concurrent.each([
  ["", {}],
  [" in production", { NODE_ENV: "production" }],
])("two sidecars never share a port%s", async (_, env) => {
  await using first = await startSidecar(["--http-endpoint=127.0.0.1:0"], { env });
  const value = new URL(first.url).host;
  const second = await runSidecar([`--http-endpoint=${value}`], { env });
  const why = "the port is in use; choose another port, or stop the process that uses it";
  expect(refusalOf(second)).toEqual({ code: 1, stdout: "", message: refusal("--http-endpoint", value, why) });
});

describe.concurrent("a hard limit of open files", () => {
  test.each([
    ["below 4,096 is a warning at start", "ulimit -n 1024", ["1024"]],
    ["of 4,096 is not", "ulimit -n 4096", []],
  ])("%s", async (_, limits, warned) => {
    await using sidecar = await startSidecar(...behindShell(limits, ["--http-endpoint=127.0.0.1:0"]));
    await sidecar.waitForLog(says("Asking CSI driver for its name"));
    const warnings = sidecar.logLines.map(parseKlog).filter(({ severity }) => severity === "W");
    expect(warnings.map(({ values }) => values["limit"])).toEqual(warned);
  });
});

const mayUnshare = usable("a name that does not resolve", ["unshare", "-n", "true"]);

// In a network of its own, so that the question for the name leaves this machine for nowhere.
test.concurrent.if(mayUnshare)("a name that does not resolve is refused likewise", async () => {
  const finished = await runSidecar(["-n", EXECUTABLE, "--http-endpoint=nobody.invalid:9808"], {
    executable: "unshare",
  });
  const why = UNKNOWN_HOST;
  expect(refusalOf(finished)).toEqual({
    code: 1,
    stdout: "",
    message: refusal("--http-endpoint", "nobody.invalid:9808", why),
  });
});

const lowestPort = Number(readIfThere("/proc/sys/net/ipv4/ip_unprivileged_port_start"));
const mayNot = process.getuid?.() === 0 && lowestPort > 80;
if (!mayNot)
  console.warn("The test of a privileged port is skipped: it takes root, and a kernel that forbids the port.");

test.concurrent.if(mayNot)("a privileged port for a user without rights is refused likewise", async () => {
  const why = "permission denied; a port below 1024 needs uid 0 or the capability NET_BIND_SERVICE";
  using directory = temporaryDirectory();
  const executable = copyExecutable(directory.path);
  const finished = await runSidecar(["--health-port=http"], { executable, uid: NOBODY_UID });
  expect(refusalOf(finished)).toEqual({ code: 1, stdout: "", message: refusal("--health-port", "http", why) });
});

function refusal(flag: string, value: string, why: string): string {
  return `${flag} cannot listen on \\"${value}\\": ${why}`;
}

/** A refusal of one klog line and nothing else; anything more throws. */
function refusalOf({ code, stdout, stderr }: Awaited<ReturnType<typeof runSidecar>>) {
  return { code, stdout, message: parseKlog(stderr.replace(/\n$/, "")).message };
}

/** The address that a flag's listener is said to have. */
async function addressOf(sidecar: Sidecar, flag: string): Promise<string> {
  const line = await waitUntil(
    () => sidecar.logLines.find((one) => says("Listening")(one) && one.includes(`flag="${flag}"`)),
    `the listener of ${flag}`,
  );
  return (parseKlog(line).values["address"] ?? "").replaceAll('"', "");
}

async function isReached(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 404;
  } catch {
    return false;
  }
}

async function holdPort(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
