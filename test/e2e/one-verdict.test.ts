import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type AllowListOptions, startAllowListDriver } from "../support/allow-list-driver";
import { makeKubeletRoot, makeNode } from "../support/made-node";
import { PROBE_RESPONSE } from "../support/probe-messages";
import { runSidecar, startSidecar } from "../support/sidecar";

// Processes start slowly on a busy machine.
setDefaultTimeout(60_000);

const PROBE = "/csi.v1.Identity/Probe";
const SOCKET = "/var/lib/kubelet/plugins/a.csi/csi.sock";
const TIMEOUT = "--probe-timeout=3s";

interface Verdict {
  readonly state: string;
  readonly reason?: string;
}

/** Every way to ask one driver. Each is given the socket's path and the root of the node that it lies in. */
const WAYS: readonly (readonly [string, (socketPath: string, rootDir: string) => Promise<Verdict>])[] = [
  ["the sidecar", askSidecar],
  ["check", (socketPath) => documentOf(["check", socketPath])],
  ["list", async (_, rootDir) => (await itemsOf(["list", "--root", rootDir]))[0] ?? { state: "not listed" }],
  ["inspect", (_, rootDir) => documentOf(["inspect", SOCKET, "--root", rootDir])],
];

describe.concurrent.each<readonly [string, AllowListOptions, Verdict]>([
  ["answers at once", {}, { state: "ready" }],
  ["is slow in each step, and done in time", delays(300, 300), { state: "ready" }],
  ["has HTTP/2 after 2 s and Probe 2 s later", delays(2_000, 2_000), { state: "failed", reason: "hung" }],
  ["has HTTP/2 after 2 s and Probe 1.2 s later", delays(2_000, 1_200), { state: "failed", reason: "hung" }],
  ["has HTTP/2 at once and Probe after 6 s", delays(0, 6_000), { state: "failed", reason: "hung" }],
  ["has HTTP/2 after 6 s", delays(6_000, 0), { state: "failed", reason: "hung" }],
  [
    "is not ready",
    { answers: { [PROBE]: { kind: "message", bytes: PROBE_RESPONSE.notReadyWritten } } },
    { state: "notReady", reason: "not_ready" },
  ],
  [
    "has an error of its own",
    { answers: { [PROBE]: { kind: "status", code: 13, details: "out of disk" } } },
    { state: "failed", reason: "rpc_error" },
  ],
])("within 3 s, a driver that %s", (_, options, verdict) => {
  test.each(WAYS)("is the same for %s", async (_way, ask) => {
    await using node = makeNode();
    makeKubeletRoot(node);
    node.directory("/var/lib/kubelet/plugins/a.csi");
    await using driver = await startAllowListDriver({ ...options, socketPath: node.outer(SOCKET) });
    const { state, reason } = await ask(driver.socketPath, node.rootDir);
    expect<Verdict>(reason === undefined ? { state } : { state, reason }).toEqual(verdict);
  });
});

function delays(settingsDelayMs: number, ms: number): AllowListOptions {
  return { settingsDelayMs, answers: { [PROBE]: { kind: "slow", ms, bytes: PROBE_RESPONSE.ready } } };
}

async function askSidecar(socketPath: string): Promise<Verdict> {
  await using sidecar = await startSidecar(["--health-port=0", TIMEOUT, "--csi-address", socketPath]);
  const response = await sidecar.get("/healthz");
  const body = await response.text();
  if (response.status === 200) return { state: "ready" };
  if (body.includes("is not ready")) return { state: "notReady", reason: "not_ready" };
  return {
    state: "failed",
    reason: body.startsWith("rpc error: ") ? "rpc_error" : body.startsWith("driver hung: ") ? "hung" : body,
  };
}

async function itemsOf(args: readonly string[]): Promise<readonly Verdict[]> {
  const { stdout } = await runSidecar([...args, "-o", "json", TIMEOUT]);
  return JSON.parse(stdout).items;
}

async function documentOf(args: readonly string[]): Promise<Verdict> {
  const { stdout } = await runSidecar([...args, "-o", "json", TIMEOUT]);
  return JSON.parse(stdout);
}
