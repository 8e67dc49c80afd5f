import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, chownSync, copyFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type TemporaryDirectory, temporaryDirectory } from "../../scripts/temporary";
import { type RunningDriver, startDriver } from "../support/drivers";
import { type MadeNode, makeKubeletRoot, makeNode } from "../support/made-node";
import { PYTHON, startPython } from "../support/made-node-process";
import { schemaFaults } from "../support/output-schema";
import { type RecordingDriver, startRecordingDriver } from "../support/recording-driver";
import { startRegistrationServer } from "../support/registration-server";
import { runSidecar } from "../support/sidecar";
import { NOBODY_UID } from "../support/socket-cases";
import { usable } from "../support/usable";

// Processes start slowly on a busy machine.
setDefaultTimeout(120_000);

const isRoot = process.getuid?.() === 0;
const KUBELET = "/var/lib/kubelet";
const PLUGINS = `${KUBELET}/plugins`;
const REGISTRY = `${KUBELET}/plugins_registry`;
/** The directory that the attacker's own driver has. */
const OWN = `${PLUGINS}/evil.csi`;

/** What an attack has at hand. What it makes is gone when `cleanup` is. */
interface Ground {
  readonly node: MadeNode;
  /** A directory of the attacker's, outside of the node. */
  readonly home: string;
  readonly cleanup: AsyncDisposableStack;
}

let node: MadeNode;
let ready: RunningDriver;
let stopped: RunningDriver;
/** Listens in a directory of root's alone, and is no business of ours. */
let secret: RunningDriver;
/** Listens outside of the node's root directory. */
let outside: RecordingDriver;
const resources = new AsyncDisposableStack();

beforeAll(async () => {
  node = resources.use(makeNode());
  makeKubeletRoot(node);
  for (const path of [`${PLUGINS}/ready.csi`, `${PLUGINS}/stopped.csi`, "/root"]) node.directory(path);
  node.staleSocket(`${PLUGINS}/stale.csi/csi.sock`);
  chmodSync(node.outer("/root"), 0o700);
  const start = async (name: string, path: string) =>
    resources.use(await startDriver("grpc-js", { name, socketPath: node.outer(path) }));
  ready = await start("ready.csi", `${PLUGINS}/ready.csi/csi.sock`);
  stopped = await start("stopped.csi", `${PLUGINS}/stopped.csi/csi.sock`);
  secret = await start("secret.csi", "/root/secret.sock");
  outside = resources.use(await startRecordingDriver());
  await stopped.pause();
});
afterAll(() => resources.disposeAsync());

const mayUnshare = usable("namespaces of an unprivileged user", [
  "setpriv",
  `--reuid=${NOBODY_UID}`,
  `--regid=${NOBODY_UID}`,
  "--clear-groups",
  "unshare",
  "--user",
  "--map-root-user",
  "--mount",
  "true",
]);

const ATTACKS: readonly (readonly [string, (ground: Ground) => void | Promise<void>, string?])[] = [
  ["does nothing", () => undefined],
  ["calls itself kubelet, with a --root-dir of its own", pretendToBeKubelet],
  [
    "links its socket to one in a directory of root's",
    () => node.link(`${OWN}/csi.sock`, "/root/secret.sock"),
    "is a link out of the kubelet's directory",
  ],
  [
    "links its directory to one of root's",
    () => node.link(`${OWN}/more`, "/root"),
    "is a link to a directory elsewhere",
  ],
  ["links its socket out of the node", () => node.link(`${OWN}/csi.sock`, outside.socketPath)],
  ["registers a path behind a link out of the node", (ground) => registerBehind(ground, "/../../../..")],
  ["registers a path behind an absolute link", (ground) => registerBehind(ground, "/tmp")],
  ["registers a path in a directory of root's", (ground) => register(ground, { endpoint: "/root/secret.sock" })],
  ["registers a path where volumes are", (ground) => register(ground, { endpoint: `${PLUGINS}/kubernetes.io/a.sock` })],
  ["registers a path that is no path", (ground) => register(ground, { endpoint: "a/../\u001b[2J\n" })],
  [
    "registers another's socket as that of a device plugin",
    (ground) => register(ground, { endpoint: `${PLUGINS}/stopped.csi/csi.sock`, type: "DevicePlugin" }),
    'announces /var/lib/kubelet/plugins/stopped.csi/csi.sock as "DevicePlugin"',
  ],
  [
    "registers another's socket by a name of its own",
    (ground) => register(ground, { endpoint: `${PLUGINS}/ready.csi/csi.sock`, name: "evil.csi" }),
    'announces "evil.csi", but the driver calls itself "ready.csi"',
  ],
  ["registers nothing, and never answers", (ground) => register(ground, { failure: "hang" }), "did not answer"],
  [
    "fills its directory",
    () => times(2_100, (index) => node.link(`${OWN}/${index}`, "gone")),
    "was not looked at whole",
  ],
  [
    "fills its directory with more files than fit into memory",
    fillWithLongNames,
    "too many files are there to be listed",
  ],
  ["fills its directory with files", () => times(2_100, (index) => node.file(`${OWN}/${index}`))],
  [
    "fills its directory with sockets",
    () => times(150, (index) => node.staleSocket(`${OWN}/${index}`)),
    "was not looked at whole",
  ],
  ["makes directories without end", () => node.directory(`${OWN}/${"d/".repeat(20)}`), "directories deep"],
  ["makes a name that steers terminals", () => node.staleSocket(`${OWN}/\u001b[2J\u001b]0;owned\u0007\n.sock`)],
  [
    "makes a name that is not UTF-8",
    () => {
      node.directory(`${OWN}/a`);
      node.rename(`${OWN}/a`, Buffer.from(`${OWN}/a\xff`, "latin1"));
    },
    "its name is not UTF-8",
  ],
  ["puts a link in place of its socket, again and again", swapForLink],
  ["puts links in place of its directories, again and again", swapDirectories],
  ["links its socket to another driver's", () => node.link(`${OWN}/csi.sock`, `${PLUGINS}/stopped.csi/csi.sock`)],
  ["links a registration socket to another driver's", linkRegistration],
  ["makes links that are long to follow", makeLongLinks],
  ["gives a stranger's unix socket the path of a dead driver", (ground) => forge(ground, "AF_UNIX", "path")],
  ["gives a stranger's TCP socket the path of a dead driver", (ground) => forge(ground, "AF_INET", "path")],
  ["does so in an abstract name", (ground) => forge(ground, "AF_UNIX", "abstract")],
  ["does so in an abstract name, with a TCP socket", (ground) => forge(ground, "AF_INET", "abstract")],
  ["gives its own socket the path of a dead driver", (ground) => forge(ground, "own", "abstract")],
];

describe.if(isRoot)("list and inspect, as root, neither lie nor do harm where an unprivileged process", () => {
  test.each(ATTACKS)("%s", async (_, attack, note = "") => {
    await withGround(async (ground) => {
      await attack(ground);
      await expectNoHarm(note);
    });
  });

  test.if(mayUnshare)("hands such a socket to a setuid program of root's", async () => {
    await withGround(async ({ cleanup, home }) => {
      const program = join(home, "cat");
      copyFileSync("/bin/cat", program);
      chmodSync(program, 0o4755);
      const socket = node.outer(`${PLUGINS}/stale.csi/csi.sock`);
      const args = [PYTHON, BIND_UNDER_COVER, socket, program];
      cleanup.use(await startPython(HAND_ON, args, { uid: NOBODY_UID, cwd: home }));
      await expectNoHarm();
    });
  });

  test.if(mayUnshare)(
    "hands such a socket to a program that becomes root by all of its ids, as sudo does",
    async () => {
      await withGround(async ({ cleanup, home }) => {
        const program = join(home, "sudo");
        copyFileSync(PYTHON, program);
        chmodSync(program, 0o4755);
        const socket = node.outer(`${PLUGINS}/stale.csi/csi.sock`);
        const args = [PYTHON, BIND_UNDER_COVER, socket, program, "-c", BECOME_ROOT];
        cleanup.use(await startPython(HAND_ON, args, { uid: NOBODY_UID, cwd: home }));
        await expectNoHarm();
      });
    },
  );

  test.if(mayUnshare)("binds the path of a dead driver in a mount namespace of its own", async () => {
    await withGround(async ({ cleanup, home }) => {
      const socket = node.outer(`${PLUGINS}/stale.csi/csi.sock`);
      const prefix = ["unshare", "--user", "--map-root-user", "--mount"];
      cleanup.use(await startPython(BIND_UNDER_COVER, [socket], { prefix, uid: NOBODY_UID, cwd: home }));
      await expectNoHarm();
    });
  });
});

/** Whatever is done: who is ready is ready, who is not is not, nobody else is asked, and no stranger is named. */
async function expectNoHarm(note = ""): Promise<void> {
  const askedBefore = askedOfOthers();
  const listed = await runSidecar(["list", "--root", node.rootDir, "-o", "json", "--probe-timeout=1s"]);
  const document: { readonly items: readonly Row[] } = JSON.parse(listed.stdout);
  expect(schemaFaults(document)).toEqual([]);
  const rows = new Map(document.items.map((row) => [row.socket, row]));
  const victim = (name: string) => rows.get(`${PLUGINS}/${name}/csi.sock`);
  expect(listed.code).toBe(4);
  expect(victim("ready.csi")).toMatchObject({ state: "ready", driver: "ready.csi", listener: { pid: ready.pid } });
  expect(victim("stopped.csi")).toMatchObject({ state: "failed", reason: "hung", listener: { pid: stopped.pid } });
  expect(victim("stale.csi")).toMatchObject({ state: "failed", reason: "nobody_listens" });
  expect(victim("stale.csi")?.listener).toBeUndefined();
  expect(listed.stderr).toContain(note);
  const inspected = await Promise.all(["stopped.csi", "stale.csi"].map(inspectText));
  expect(inspected[0]).toContain(`kill -CONT ${stopped.pid}`);
  expect(inspected[1]).not.toContain("kill");
  expect(inspected[1]).toMatch(/^- +process +not reached$/m);
  for (const text of [listed.stdout, listed.stderr, ...inspected]) expect(text).toMatch(/^[\P{C}\n]*$/u);
  expect(askedOfOthers()).toBe(askedBefore);
}

function askedOfOthers(): number {
  return secret.events.filter(({ event }) => event === "rpc").length + outside.connections.length;
}

interface Row {
  readonly socket: string;
  readonly listener?: { readonly pid: number };
}

async function inspectText(driver: string): Promise<string> {
  const socket = `${PLUGINS}/${driver}/csi.sock`;
  const ran = await runSidecar(["inspect", socket, "--root", node.rootDir, "--probe-timeout=300ms"]);
  return ran.stdout + ran.stderr;
}

async function withGround(attack: (ground: Ground) => Promise<void>): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const home = ownHome(cleanup);
  node.directory(OWN);
  cleanup.defer(() => rmSync(Buffer.from(node.outer(OWN)), { recursive: true, force: true }));
  await attack({ node, home: home.path, cleanup });
}

function ownHome(cleanup: AsyncDisposableStack): TemporaryDirectory {
  const home = cleanup.use(temporaryDirectory());
  chownSync(home.path, NOBODY_UID, NOBODY_UID);
  return home;
}

async function pretendToBeKubelet({ home, cleanup }: Ground): Promise<void> {
  node.staleSocket("/attack/plugins/fake.csi/csi.sock");
  node.link("/attack/plugins/link.csi/csi.sock", "/root/secret.sock");
  cleanup.defer(() => rmSync(node.outer("/attack"), { recursive: true }));
  const kubelet = join(home, "kubelet");
  copyFileSync(PYTHON, kubelet);
  chmodSync(kubelet, 0o755);
  cleanup.use(await startPython(IDLE, ["--root-dir=/attack"], { executable: kubelet, uid: NOBODY_UID, cwd: home }));
}

async function register({ cleanup }: Ground, options: Parameters<typeof startRegistrationServer>[0]): Promise<void> {
  const socketPath = node.outer(`${REGISTRY}/evil-reg.sock`);
  cleanup.use(await startRegistrationServer({ name: "evil.csi", ...options, socketPath }));
}

// The kernel follows such a link for us, where it is given the path in one piece.
async function registerBehind(ground: Ground, target: string): Promise<void> {
  symlinkSync(target === "/tmp" ? target : `${target.slice(1)}/tmp`, node.outer(`${OWN}/way`));
  await register(ground, { endpoint: `${OWN}/way${outside.socketPath.slice("/tmp".length)}` });
}

async function forge({ home, cleanup }: Ground, family: string, place: string): Promise<void> {
  const uid = family === "own" ? NOBODY_UID : 0;
  const holder = cleanup.use(await startPython(HOLD, [family], { uid, cwd: home }));
  const inode = /\d+/.exec(readlinkSync(`/proc/${holder.pid}/fd/${HELD_FD}`))?.[0] ?? "";
  // A path has room for a short one beside the forged row.
  node.link("/way", `${node.rootDir}${PLUGINS}/stale.csi`);
  cleanup.defer(() => rmSync(node.outer("/way")));
  const path = node.outer("/way/csi.sock");
  cleanup.use(await startPython(FORGE, [inode, path, place], { uid: NOBODY_UID, cwd: home }));
}

async function swapForLink({ cleanup }: Ground): Promise<void> {
  chownSync(node.outer(OWN), NOBODY_UID, NOBODY_UID);
  const target = node.outer("/root/secret.sock");
  cleanup.use(await startPython(SWAP, [target], { uid: NOBODY_UID, cwd: node.outer(OWN) }));
}

async function swapDirectories({ cleanup }: Ground): Promise<void> {
  chownSync(node.outer(OWN), NOBODY_UID, NOBODY_UID);
  cleanup.use(await startPython(SWAP_DIRECTORIES, [node.outer("/root")], { uid: NOBODY_UID, cwd: node.outer(OWN) }));
}

function linkRegistration({ cleanup }: Ground): void {
  node.link(`${REGISTRY}/evil-reg.sock`, `${PLUGINS}/stopped.csi/csi.sock`);
  cleanup.defer(() => rmSync(node.outer(`${REGISTRY}/evil-reg.sock`)));
}

// 40 links of 800 pairs of names each: 64,000 names a link.
function makeLongLinks(): void {
  node.directory(`${OWN}/d`);
  times(40, (index) => node.link(`${OWN}/0${index}`, `${"d/../".repeat(800)}0${index + 1}`));
  times(40, (index) => node.link(`${OWN}/1${index}`, "00"));
}

function fillWithLongNames(): void {
  const name = "n".repeat(240);
  times(36_000, (index) => node.file(`${OWN}/${name}${index}`));
}

function times(count: number, make: (index: number) => void): void {
  for (let index = 0; index < count; index += 1) make(index);
}

const IDLE = 'import sys; print("ready", flush=True); sys.stdin.read()';

const HELD_FD = 77;

/** Holds a socket as an innocent process does. */
const HOLD = `
import os, socket, sys
held = socket.create_server(("127.0.0.1", 0)) if sys.argv[1] == "AF_INET" else socket.socketpair()[0]
os.dup2(held.fileno(), ${HELD_FD})
print("ready", flush=True)
sys.stdin.read()
`;

/** Binds a path that reads as a row of its own in the kernel's table. */
const FORGE = `
import os, socket, sys
inode, path, place = sys.argv[1:]
row = f"0000000000000000: 00000002 00000000 00010000 0001 01 {inode:>5} {path}"
listener = socket.socket(socket.AF_UNIX)
if place == "abstract":
    listener.bind(b"\\0x\\n" + row.encode())
else:
    os.makedirs(os.path.dirname("x\\n" + row))
    listener.bind("x\\n" + row)
listener.listen()
print("ready", flush=True)
sys.stdin.read()
`;

/** For a moment each, its own socket and a link have the same path. */
const SWAP = `
import os, socket, sys, threading
def bind(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(4096)
    return listener
first = bind("own")
os.link("own", "csi.sock")
def swap():
    while True:
        os.symlink(sys.argv[1], "link"); os.rename("link", "csi.sock")
        os.link("own", "again"); os.rename("again", "csi.sock")
threading.Thread(target=swap, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
`;

/** The same with directories on the way. */
const SWAP_DIRECTORIES = `
import ctypes, os, socket, sys, threading
libc = ctypes.CDLL(None)
names = [(f"d{index}".encode(), f"l{index}".encode()) for index in range(4)]
listeners = [socket.socket(socket.AF_UNIX) for _ in names]
for (directory, link), listener in zip(names, listeners):
    os.mkdir(directory)
    listener.bind(directory + b"/secret.sock")
    listener.listen(4096)
    os.symlink(sys.argv[1], link)
def swap():
    while True:
        for one, other in names: libc.renameat2(-100, one, -100, other, 2) # AT_FDCWD, RENAME_EXCHANGE
threading.Thread(target=swap, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
`;

/**
 * Binds a path of the node's over a file system of its own, and takes that away again: the path is then the node's
 * file.
 */
const BIND_UNDER_COVER = `
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
directory = os.path.dirname(sys.argv[1]).encode()
if libc.mount(b"none", directory, b"tmpfs", 0, None) != 0: sys.exit(os.strerror(ctypes.get_errno()))
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
if libc.umount2(directory, 2) != 0: sys.exit(os.strerror(ctypes.get_errno()))
if len(sys.argv) > 2:
    socket.send_fds(socket.socket(fileno=int(sys.argv[2])), [b"x"], [listener.fileno()])
    sys.exit()
print("ready", flush=True)
sys.stdin.read()
`;

/** Lets another process bind a socket under cover, takes it, and becomes a program that runs as root and keeps it. */
const HAND_ON = `
import os, socket, subprocess, sys
python, bind, target, program, *args = sys.argv[1:]
mine, its = socket.socketpair()
command = ["unshare", "--user", "--map-root-user", "--mount", python, "-c", bind, target, str(its.fileno())]
subprocess.run(command, pass_fds=[its.fileno()], check=True)
listener = socket.recv_fds(mine, 1, 1)[1][0]
os.set_inheritable(listener, True)
if not args: print("ready", flush=True)
os.execv(program, [program, *args])
`;

const BECOME_ROOT = `
import os, sys
os.setresuid(0, 0, 0)
print("ready", flush=True)
sys.stdin.read()
`;
