import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyExecutable } from "../support/executable";
import { startRecordingDriver, type RecordingDriver } from "../support/recording-driver";
import { runSidecar, startSidecar, type SidecarOptions } from "../support/sidecar";
import { connectTcp, freePort } from "../support/tcp-client";
import { temporaryDirectory } from "../../scripts/temporary";
import { usable } from "../support/usable";
import { waitUntil } from "../support/wait";

const NOBODY_KNOWN = 12_345;
const mayChangeUser = usable("a user that nobody knows", [
  "setpriv",
  `--reuid=${NOBODY_KNOWN}`,
  "--clear-groups",
  "true",
]);

let undisturbed: Conduct;

beforeAll(async () => {
  undisturbed = await conduct({});
});

/** What can be seen of a sidecar that is asked once, by its client, its log's reader and its driver. */
interface Conduct {
  readonly answer: readonly [number, string];
  readonly log: readonly string[];
  readonly asked: readonly string[];
}

async function conduct(options: SidecarOptions): Promise<Conduct> {
  await using driver = await startRecordingDriver();
  chmodSync(driver.socketPath, 0o777);
  const args = ["--http-endpoint=127.0.0.1:0", `--csi-address=${driver.socketPath}`];
  await using sidecar = await startSidecar(args, options);
  const response = await sidecar.get("/healthz");
  const answer = [response.status, await response.text()] as const;
  await sidecar.waitForLog((line) => line.includes("CSI driver is ready"));
  await sidecar.waitForLog((line) => line.includes('driver="recording.csi.test"'));
  sidecar.signal("SIGTERM");
  await sidecar.exited;
  return { answer, log: sidecar.logLines.map((line) => timeless(line, driver)).toSorted(), asked: requestsOf(driver) };
}

/**
 * A log line without what differs from one run to the next: when, which process, which port, which socket, and the
 * name, which comes in the background.
 */
function timeless(line: string, { socketPath }: RecordingDriver): string {
  return line
    .replace(/^([IWE])\d{4} [\d:.]+ +\d+ /, "$1 ")
    .replace(/127\.0\.0\.1:\d+/, "127.0.0.1:PORT")
    .replace(/driver="[^"]*"/, "driver")
    .replace(socketPath, "SOCKET");
}

function requestsOf({ connections }: RecordingDriver): readonly string[] {
  const requests = connections.flatMap((connection) => connection.requests);
  return requests.map(({ path, authority, userAgent }) => `${authority}${path} ${userAgent}`).toSorted();
}

test("a sidecar that nothing disturbs answers, logs and asks", () => {
  expect(undisturbed.answer).toEqual([200, "ok"]);
  expect(undisturbed.log.length).toBeGreaterThan(3);
  expect(undisturbed.asked).toHaveLength(2);
});

describe.concurrent("nothing that a client, the log's reader or the driver can see is changed by", () => {
  const proxy = "http://127.0.0.1:1";
  test.each([
    ["HTTP_PROXY", { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: "" }],
    ["http_proxy", { http_proxy: proxy, https_proxy: proxy, no_proxy: "" }],
    ["grpc_proxy", { grpc_proxy: proxy, no_grpc_proxy: "" }],
    ["ALL_PROXY", { ALL_PROXY: proxy, all_proxy: proxy }],
    [
      "grpc-js's tracing",
      { GRPC_TRACE: "all", GRPC_VERBOSITY: "DEBUG", GRPC_NODE_TRACE: "all", GRPC_NODE_VERBOSITY: "DEBUG" },
    ],
    [
      "gRPC's other variables",
      { GRPC_DNS_RESOLVER: "ares", GRPC_SSL_CIPHER_SUITES: "x", GRPC_NODE_USE_ALTERNATIVE_RESOLVER: "true" },
    ],
    ["NODE_OPTIONS", { NODE_OPTIONS: "--require /nowhere.js --inspect --bogus" }],
    [
      "Node's other variables",
      {
        NODE_TLS_REJECT_UNAUTHORIZED: "0",
        NODE_EXTRA_CA_CERTS: "/nowhere",
        NODE_PATH: "/nowhere",
        NODE_ENV: "test",
        NODE_DEBUG: "*",
      },
    ],
    ["PORT", { PORT: "1", BUN_PORT: "1", NODE_PORT: "1", HOST: "192.0.2.1", HOSTNAME: "192.0.2.1" }],
    ["DEBUG and colours", { DEBUG: "*", FORCE_COLOR: "1", NO_COLOR: "1", TERM: "xterm" }],
    ["a time zone, but for the log's time", { TZ: "Asia/Tokyo" }],
    [
      "a home that is not there",
      { HOME: "/nowhere", XDG_CONFIG_HOME: "/nowhere", TMPDIR: "/nowhere", BUN_TMPDIR: "/nowhere" },
    ],
    ["a locale", { LANG: "de_DE.UTF-8", LC_ALL: "ar_EG.UTF-8" }],
  ])("%s", async (_, env) => {
    expect(await conduct({ env })).toEqual(undisturbed);
  });

  test("what lies in the working directory", async () => {
    using directory = temporaryDirectory();
    const cwd = join(directory.path, "hostile");
    const marker = join(directory.path, "marker");
    layTraps(cwd, marker);
    expect(await conduct({ cwd, env: { HOME: cwd, XDG_CONFIG_HOME: cwd } })).toEqual(undisturbed);
    expect(existsSync(marker)).toBe(false);
  });

  test.each([".env", ".env.local", ".env.production"])("a %s, which is not even read", async (name) => {
    using directory = temporaryDirectory();
    const path = join(directory.path, name);
    writeFileSync(path, "");
    // It takes no room on the disk, but whoever reads it needs as much memory.
    truncateSync(path, 512 * 2 ** 20);
    await using sidecar = await startSidecar(["--http-endpoint=127.0.0.1:0"], { cwd: directory.path });
    expect(peakMib(sidecar.pid)).toBeLessThan(256);
  });

  test.if(mayChangeUser)("a uid that nobody knows, without a home, where nothing may be written", async () => {
    using directory = temporaryDirectory();
    const executable = copyExecutable(directory.path);
    expect(await conduct({ executable, uid: NOBODY_KNOWN, cwd: directory.path })).toEqual(undisturbed);
  });
});

/** The most memory that a process has had, in MiB. */
function peakMib(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1_024;
}

/** Whatever a Bun, a Node.js or a shell would read, each of which would leave a mark. */
function layTraps(cwd: string, marker: string): void {
  const trap = `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "")`;
  const files = {
    ".env": "HTTP_PROXY=http://127.0.0.1:1\nGRPC_TRACE=all\nGRPC_VERBOSITY=DEBUG\nTZ=Asia/Tokyo\n",
    ".env.production": "GRPC_VERBOSITY=DEBUG\n",
    "trap.js": trap,
    "bunfig.toml": 'preload = ["./trap.js"]\n[run]\npreload = ["./trap.js"]\n',
    ".bunfig.toml": 'preload = ["./trap.js"]\n',
    "package.json": '{ "name": "trap", "main": "trap.js", "imports": { "#*": "./trap.js" }, "type": "commonjs" }',
    "tsconfig.json": '{ "compilerOptions": { "paths": { "*": ["./trap.js"] } } }',
    "index.js": trap,
    "node_modules/citty/index.js": trap,
    "node_modules/@grpc/grpc-js/index.js": trap,
    "node_modules/@grpc/grpc-js/build/src/index.js": trap,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(cwd, name, ".."), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
}

test.concurrent("TZ moves the log's time", async () => {
  expect(await clockHours({ env: { TZ: "Asia/Tokyo" } })).toBe(9);
  expect(await clockHours({ env: { TZ: "UTC" } })).toBe(0);
});

/** By how many hours the log's clock is ahead of UTC, from 0 to 23.75. */
async function clockHours(options: SidecarOptions): Promise<number> {
  await using sidecar = await startSidecar(["--http-endpoint=127.0.0.1:0"], options);
  const [, hours, minutes] = /^I\d{4} (\d\d):(\d\d):/.exec(sidecar.logLines[0] ?? "") ?? [];
  const aheadHours = Number(hours) + Number(minutes) / 60 - Date.now() / 3_600_000;
  // Zones are a multiple of a quarter of an hour apart; the rest is what has passed since.
  return (((Math.round(aheadHours * 4) / 4) % 24) + 24) % 24;
}

describe.concurrent("what Bun does not let us prevent, and operators are told of", () => {
  const { trap } = usingTrap();
  test("BUN_BE_BUN makes the executable a Bun", async () => {
    const { code, stdout } = await runSidecar(["-e", "console.log(6 * 7)"], { env: { BUN_BE_BUN: "1" } });
    expect([code, stdout]).toEqual([0, "42\n"]);
  });

  test("BUN_OPTIONS runs a file that it names before the sidecar", async () => {
    const { code, stdout } = await runSidecar(["--version"], { env: { BUN_OPTIONS: `--preload ${trap}` } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^trapped\nlivenessprobe /);
  });

  test("BUN_OPTIONS with --help prints Bun's help in the sidecar's place", async () => {
    const { stdout } = await runSidecar(["--version"], { env: { BUN_OPTIONS: "--help" } });
    expect(stdout).toContain("Usage: bun ");
  });

  test("BUN_INSPECT opens a debugger's port", async () => {
    const port = await freePort();
    await using sidecar = await startSidecar(["--http-endpoint=127.0.0.1:0"], {
      env: { BUN_INSPECT: `127.0.0.1:${port}` },
    });
    const isOpen = () => connectTcp(`http://127.0.0.1:${port}`).then(disposed, () => false);
    expect(await waitUntil(isOpen, "the debugger's port")).toBe(true);
    expect((await sidecar.get("/")).status).toBe(404);
  });

  test("a variable BUN_JSC_ that the engine does not know ends the sidecar", async () => {
    const { code, stderr } = await runSidecar(["--version"], { env: { BUN_JSC_bogus: "1" } });
    expect([code, stderr]).toEqual([1, expect.stringContaining("BUN_JSC_bogus")]);
  });
});

function disposed(client: Disposable): true {
  client[Symbol.dispose]();
  return true;
}

function usingTrap(): { readonly trap: string } {
  const directory = temporaryDirectory();
  const trap = join(directory.path, "trap.js");
  writeFileSync(trap, 'console.log("trapped")');
  afterAll(() => directory[Symbol.dispose]());
  return { trap };
}
