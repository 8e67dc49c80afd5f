import { describe, expect, test } from "bun:test";
import { type Implementation, availableDrivers, startDriver } from "../support/drivers";
import { type MadeNode, makeKubeletRoot, makeNode } from "../support/made-node";
import { inContainer, LISTEN, LISTEN_AND_HANG, mayContain, startPython } from "../support/made-node-process";
import { EXECUTABLE } from "../support/executable";
import { runInPty, screenOf } from "../support/pty";
import { schemaFaults } from "../support/output-schema";
import { runSidecar } from "../support/sidecar";
import { waitUntil } from "../support/wait";

const implementations = await availableDrivers();
const PLUGINS = "/var/lib/kubelet/plugins";
// A name of its own: a process of another test that listens on a socket of the same name could be the listener.
const SOCKET = `${PLUGINS}/a.csi/inspected.sock`;
const PODS = "kubectl get pods -A -o wide --field-selector spec.nodeName=NODE";

interface Step {
  readonly title: string;
  readonly outcome: string;
  readonly details?: readonly string[];
  readonly remedy?: string;
  readonly command?: string;
}

interface Inspection {
  readonly steps: readonly Step[];
  readonly driver?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly slow?: boolean;
  readonly verdict: string;
  readonly next?: string;
}

const RPCS = ["Probe", "GetPluginInfo", "GetPluginCapabilities", "NodeGetCapabilities", "ControllerGetCapabilities"];

test.each(implementations)("a driver on %s: every step, with the capabilities by name", async (implementation) => {
  await using node = nodeWithPlace();
  await using driver = await startA(node, implementation);
  const { code, steps, driver: name } = await inspect(node, ["a.csi"]);
  expect({ code, name }).toEqual({ code: 0, name: "a.csi" });
  expect(steps.map(({ title, outcome }) => [title, outcome])).toEqual(
    ["path", "file", "listener", "process", "connect", "HTTP/2", ...RPCS].map((title) => [title, "passed"]),
  );
  expect(detailsOf(steps, "path")).toEqual([`${Buffer.byteLength(SOCKET)} of 107 bytes`]);
  expect(detailsOf(steps, "listener")[0]).toStartWith(`pid ${driver.pid} `);
  expect(detailsOf(steps, "NodeGetCapabilities")).toContain("STAGE_UNSTAGE_VOLUME");
});

test("a driver that has renamed its socket is not told to have ended", async () => {
  await using node = nodeWithPlace();
  await using _ = await startDriver("grpc-js", { name: "a.csi", socketPath: node.outer(`${SOCKET}.new`) });
  node.rename(`${SOCKET}.new`, SOCKET);
  const { code, steps } = await inspect(node, ["a.csi"]);
  expect(code).toBe(0);
  expect(steps.find(({ title }) => title === "listener")).toEqual({
    title: "listener",
    outcome: "absent",
    details: ["cannot be told: somebody accepts connections, but no process is seen that was bound to this path"],
  });
  expect(steps.filter(({ outcome }) => outcome === "failed")).toEqual([]);
});

// PTRACE_SEIZE, PTRACE_INTERRUPT and __WALL.
const DEBUG = `
import ctypes, os, sys
ptrace = ctypes.CDLL(None, use_errno=True).ptrace
pid = int(sys.argv[1])
if ptrace(0x4206, pid, 0, 0) or ptrace(0x4207, pid, 0, 0): sys.exit(os.strerror(ctypes.get_errno()))
os.waitpid(pid, 0x40000000)
print("ready", flush=True)
sys.stdin.read()
`;

test("a driver that a debugger has stopped is not told to be continued by a signal, which it is not", async () => {
  await using node = nodeWithPlace();
  await using driver = await startA(node, "grpc-js");
  await using _ = await startPython(DEBUG, [`${driver.pid}`]);
  const { steps } = await inspect(node, [SOCKET, "--probe-timeout=300ms"]);
  expect(steps.find(({ title }) => title === "process")).toMatchObject({
    details: expect.arrayContaining(["stopped by a debugger (t)"]),
    command: `grep TracerPid /proc/${driver.pid}/status`,
  });
});

describe("a driver that was stopped", () => {
  test("is named, with its process, that it is stopped, and what to do; no RPC is tried", async () => {
    await using node = nodeWithPlace();
    await using driver = await startA(node, "grpc-js");
    await driver.pause();
    const { code, steps, verdict, next } = await inspect(node, [SOCKET, "--probe-timeout=500ms"]);
    expect(code).toBe(3);
    expect(steps.find(({ title }) => title === "process")).toMatchObject({
      outcome: "failed",
      details: expect.arrayContaining(["stopped (T)"]),
      remedy: "it answers nothing until it is continued",
      command: `kill -CONT ${driver.pid}`,
    });
    expect({ verdict, next }).toEqual({
      verdict: "failed: hung at HTTP/2; process stopped (T)",
      next: `kill -CONT ${driver.pid}`,
    });
    expect(steps.filter(({ outcome }) => outcome === "notReached").map(({ title }) => title)).toEqual(RPCS);
  });
});

test("a driver with a thread that hangs in the kernel is told by what it waits for", async () => {
  await using node = nodeWithPlace();
  node.fifo("/fifo");
  await using driver = await startPython(LISTEN_AND_HANG, [node.outer(SOCKET), node.outer("/fifo")]);
  const inspected = await waitUntil(async () => {
    const { steps, verdict, next } = await inspect(node, [SOCKET, "--probe-timeout=300ms"]);
    return steps.some(({ title, outcome }) => title === "process" && outcome === "failed") && { steps, verdict, next };
  }, "the thread to hang");
  const [wait = ""] = detailsOf(inspected.steps, "process");
  expect(wait).toStartWith("waits for a program that it starts (");
  expect(inspected).toMatchObject({
    verdict: `failed: hung at HTTP/2; process ${wait}`,
    next: `cat /proc/${driver.pid}/task/*/stack`,
  });
});

test.if(mayContain("a driver in a container"))(
  "a driver that bound /csi/inspected.sock in a container is found there",
  async () => {
    await using node = nodeWithPlace();
    const prefix = inContainer(node.outer(`${PLUGINS}/a.csi`), "/csi");
    await using driver = await startPython(LISTEN, ["/csi/inspected.sock"], { prefix });
    const { code, steps } = await inspect(node, [SOCKET, "--probe-timeout=300ms"]);
    expect(code).toBe(3);
    expect(detailsOf(steps, "listener")).toEqual(
      expect.arrayContaining([expect.stringContaining(`pid ${driver.pid} `), "bound as /csi/inspected.sock"]),
    );
    const listed = await runSidecar(["list", "--root", node.rootDir, "-o", "json", "--probe-timeout=300ms"]);
    expect(JSON.parse(listed.stdout).items).toMatchObject([{ socket: SOCKET, listener: { pid: driver.pid } }]);
  },
);

test("an RPC that is not answered is the last: a driver that hangs gets no more to do", async () => {
  await using node = nodeWithPlace();
  await using drivers = new AsyncDisposableStack();
  drivers.use(await startA(node, "grpc-js", "hang"));
  const { code, steps, reason } = await inspect(node, [SOCKET, "--probe-timeout=500ms"]);
  expect({ code, reason }).toEqual({ code: 3, reason: "hung" });
  expect(steps.find(({ outcome }) => outcome === "failed")?.title).toBe("Probe");
  expect(steps.filter(({ outcome }) => outcome === "notReached").map(({ title }) => title)).toEqual(RPCS.slice(1));
});

test("a path that is too long for the kubelet is said, and a prefix of --root does not count", async () => {
  await using node = nodeWithPlace();
  const socket = `${PLUGINS}/${"d".repeat(90)}/csi.sock`;
  const { steps } = await inspect(node, [socket]);
  expect(steps[0]).toMatchObject({ title: "path", outcome: "failed" });
  node.file(socket);
  expect((await inspect(node, [socket])).steps[0]).toMatchObject({
    outcome: "failed",
    details: [`${Buffer.byteLength(socket)} of 107 bytes`, "no process can bind or connect to a path as long as this"],
  });
});

test("the reason is that of the step which failed", async () => {
  await using node = nodeWithPlace();
  expect(await inspect(node, [SOCKET])).toMatchObject({ reason: "socket_missing" });
  node.file(SOCKET);
  expect(await inspect(node, [SOCKET])).toMatchObject({ reason: "not_a_socket" });
});

test("a path that is not followed is no socket that is missing: nothing was asked", async () => {
  await using node = nodeWithPlace();
  node.link(`${PLUGINS}/a.csi/loop`, "loop");
  node.staleSocket(`${PLUGINS}/kubernetes.io/csi.sock`);
  for (const [path, message] of [
    [`${PLUGINS}/a.csi/loop`, "its links lead back to themselves"],
    [`${PLUGINS}/kubernetes.io/csi.sock`, "volumes are there, which are not touched"],
  ] as const)
    expect(await inspect(node, [path])).toMatchObject({ code: 2, state: "notAsked", message });
});

describe("what ends it early", () => {
  test.each([
    ["no file", () => undefined, 2, "path", "path"],
    ["a regular file", (node: MadeNode) => node.file(SOCKET), 2, "file", "file"],
    ["a stale socket", (node: MadeNode) => node.staleSocket(SOCKET), 2, "listener", "connect"],
  ] as const)("%s", async (_, make, code, failing, at) => {
    await using node = nodeWithPlace();
    make(node);
    const inspected = await inspect(node, [SOCKET]);
    expect(inspected.code).toBe(code);
    expect(inspected.steps.find(({ outcome }) => outcome === "failed")?.title).toBe(failing);
    expect(inspected.steps.at(-1)).toMatchObject({ title: "ControllerGetCapabilities", outcome: "notReached" });
    expect(inspected.verdict).toBe(`failed: ${inspected.reason} at ${at}`);
  });
});

test("a driver that is not ready: exit code 4", async () => {
  await using node = nodeWithPlace();
  await using drivers = new AsyncDisposableStack();
  drivers.use(await startA(node, "grpc-js", "notready"));
  const { code, steps } = await inspect(node, [SOCKET]);
  expect(code).toBe(4);
  expect(steps.find(({ title }) => title === "Probe")).toMatchObject({
    outcome: "failed",
    details: [expect.stringContaining("ready: false")],
    remedy: "find the driver's pod, and read its log",
  });
});

test("NodeGetInfo is asked only where it is asked for", async () => {
  await using node = nodeWithPlace();
  await using drivers = new AsyncDisposableStack();
  const socketPath = node.outer(SOCKET);
  drivers.use(await startDriver("grpc-js", { name: "a.csi", socketPath, nodeGetInfo: "allowed" }));
  expect((await inspect(node, [SOCKET, "--node-info"])).steps.at(-1)).toMatchObject({
    title: "NodeGetInfo",
    outcome: "passed",
    details: expect.arrayContaining([expect.stringContaining("node id ")]),
  });
});

test("a name that no driver has is refused in a line, exit code 1", async () => {
  await using node = nodeWithPlace();
  const ran = await runSidecar(["inspect", "b.csi", "--root", node.rootDir]);
  expect(ran).toMatchObject({
    code: 1,
    stdout: "",
    stderr: `there is no driver "b.csi" here; to see those there are: ${EXECUTABLE} list --root ${node.rootDir}\n`,
  });
});

test("the text has the same, for a person", async () => {
  await using node = nodeWithPlace();
  await using drivers = new AsyncDisposableStack();
  drivers.use(await startA(node, "grpc-js"));
  const { stdout } = await runSidecar(["inspect", SOCKET, "--root", node.rootDir]);
  expect(stdout).toStartWith(`socket  ${SOCKET}\ndriver  a.csi\n\nok    path `);
  expect(stdout).toEndWith("\n\nready\n");
});

describe("each thing to do has a command to paste, with what it needs", () => {
  test.each<readonly [string, (node: MadeNode) => unknown, (node: MadeNode) => readonly (string | undefined)[]]>([
    ["no file", () => undefined, (node) => [list(node)]],
    ["a regular file", (node) => node.file(SOCKET), (node) => [list(node)]],
    ["a stale socket", (node) => node.staleSocket(SOCKET), () => [PODS, PODS]],
    ["no driver but a program", (node) => node.liveSocket(SOCKET), () => [PODS]],
    [
      "such a program where systemd runs",
      async (node) => {
        node.directory("/run/systemd/system");
        await node.liveSocket(SOCKET);
      },
      () => [`journalctl -n 100 _PID=${process.pid}`],
    ],
  ])("%s", async (_, make, commandsOf) => {
    await using node = nodeWithPlace();
    node.file("/etc/hostname", "node-1.example\n");
    await make(node);
    const { steps, next } = await inspect(node, [SOCKET, "--probe-timeout=300ms"]);
    const commands = commandsOf(node);
    expect(steps.filter(({ remedy }) => remedy !== undefined).map(({ command }) => command)).toEqual([...commands]);
    expect(next).toBe(commands[0]);
  });
});

test("while it waits, a terminal shows for what; the line is erased", async () => {
  await using node = nodeWithPlace();
  await node.liveSocket(SOCKET);
  const words = [EXECUTABLE, "inspect", SOCKET, "--root", node.rootDir, "--probe-timeout=500ms"];
  const ran = await runInPty(words, { columns: 80, apart: "stdout" });
  expect(ran.output).toContain("waiting for HTTP/2 ...");
  expect(screenOf(ran.output).trim()).toBe("");
  expect(ran.apart).toStartWith("socket  ");
});

test("a driver that takes more than half of the timeout is ready, and slow", async () => {
  await using node = nodeWithPlace();
  const socketPath = node.outer(SOCKET);
  await using _ = await startDriver("grpc-js", { name: "a.csi", mode: "slow 2500", socketPath });
  const { code, slow, verdict } = await inspect(node, [SOCKET, "--probe-timeout=4s"]);
  expect({ code, slow }).toEqual({ code: 0, slow: true });
  expect(verdict).toMatch(/^ready; slow: it took [\d.]+s of 4s$/);
});

/** The command that lists a node's drivers as `inspect` looked at it. */
function list(node: MadeNode): string {
  return `${EXECUTABLE} list --root ${node.rootDir} --probe-timeout 300ms`;
}

function nodeWithPlace(): MadeNode {
  const node = makeNode();
  makeKubeletRoot(node);
  node.directory(`${PLUGINS}/a.csi`);
  return node;
}

async function startA(node: MadeNode, implementation: Implementation, mode: "ready" | "notready" | "hang" = "ready") {
  return startDriver(implementation, { name: "a.csi", mode, socketPath: node.outer(SOCKET) });
}

async function inspect(node: MadeNode, args: readonly string[]) {
  const ran = await runSidecar(["inspect", "--root", node.rootDir, "-o", "json", ...args]);
  const document: Inspection = JSON.parse(ran.stdout);
  expect(schemaFaults(document)).toEqual([]);
  return { code: ran.code, ...document };
}

function detailsOf(steps: readonly Step[], title: string): readonly string[] {
  return steps.find((step) => step.title === title)?.details ?? [];
}
