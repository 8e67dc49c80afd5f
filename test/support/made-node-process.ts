import { chmodSync, cpSync } from "node:fs";
import { join } from "node:path";
import { readLines } from "./lines";
import { NOBODY_UID } from "./socket-cases";
import { temporaryDirectory } from "../../scripts/temporary";
import { usable } from "./usable";
import { waitUntil } from "./wait";

/** A process that runs until it is disposed of. */
export interface MadeProcess extends AsyncDisposable {
  readonly pid: number;
}

const ROOT = join(import.meta.dir, "../..");

/** Not a version manager's, which lives in a home directory that another uid or mount namespace may not have. */
export const PYTHON = Bun.which("python3", { PATH: "/usr/local/bin:/usr/bin:/bin" }) ?? "python3";

// Everything of this machine, below a root that is not its own, with $1 mounted on $2.
const CONTAINER = `
  mount -t tmpfs tmpfs /mnt
  for entry in /*; do
    if [ -L "$entry" ]; then cp -P "$entry" /mnt
    elif [ -d "$entry" ] && [ "$entry" != /mnt ]; then mkdir "/mnt$entry"; mount --rbind "$entry" "/mnt$entry"; fi
  done
  mkdir -p "/mnt$2"
  mount --bind "$1" "/mnt$2"
  shift 2
  exec chroot /mnt "$@"`;

/**
 * The words before a command that start it as in a container of a pod: with a root, a mount namespace and a network
 * namespace of its own, where a directory of the node is mounted on a path of its own, such as `/csi`. Its process id
 * is the command's.
 */
export function inContainer(directory: string, mountPoint: string): readonly string[] {
  return ["unshare", "--mount", "--net", "--propagation=private", "sh", "-ec", CONTAINER, "sh", directory, mountPoint];
}

/**
 * Whether this machine lets us make containers; says so in a line where it does not.
 *
 * @throws with CI=true, where it does not
 */
export function mayContain(what: string): boolean {
  return usable(what, [...inContainer("/tmp", "/csi"), "test", "-d", "/csi"]);
}

export interface PythonOptions {
  /** The words before the command: see `inContainer`. */
  readonly prefix?: readonly string[];
  readonly cwd?: string;
  /** In place of the one that is installed: a copy by another name. */
  readonly executable?: string;
  /** And the group of the same number. */
  readonly uid?: number;
}

/** Starts a Python script, and returns once it has printed "ready". It ends when its standard input does. */
export async function startPython(
  script: string,
  args: readonly string[] = [],
  { prefix = [], cwd, executable = PYTHON, uid }: PythonOptions = {},
): Promise<MadeProcess> {
  const child = Bun.spawn([...prefix, executable, "-c", script, ...args], {
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid, gid: uid }),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines: string[] = [];
  const output = readLines(child.stdout, (line) => lines.push(line));
  const dispose = async (): Promise<void> => {
    child.kill("SIGKILL");
    await Promise.all([child.exited, output]);
  };
  try {
    await waitUntil(() => lines.includes("ready") || child.exitCode !== null, "a process to be ready");
    if (child.exitCode !== null) throw new Error(`a process ended with ${child.exitCode} before it was ready`);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { pid: child.pid, [Symbol.asyncDispose]: dispose };
}

/** Listens on the paths given, and accepts nothing. */
export const LISTEN = `
import socket, sys
sockets = [socket.socket(socket.AF_UNIX) for path in sys.argv[1:]]
for path, listener in zip(sys.argv[1:], sockets):
    listener.bind(path)
    listener.listen()
print("ready", flush=True)
sys.stdin.read()
`;

/**
 * Listens on the first path, and has a thread in state D, for which no privilege is needed: the child of posix_spawn(3)
 * opens its input, the FIFO at the second path, and until that has a writer, the thread that waits for the child is in
 * state D.
 */
export const LISTEN_AND_HANG = `
import os, socket, sys, threading
def spawn():
    actions = [(os.POSIX_SPAWN_CLOSE, 1), (os.POSIX_SPAWN_OPEN, 0, sys.argv[2], os.O_RDONLY, 0)]
    os.posix_spawn("/bin/true", ["true"], {}, file_actions=actions)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("ready", flush=True)
threading.Thread(target=spawn).start()
sys.stdin.read()
`;

/** What a script writes to standard output, as JSON, under another uid and without capabilities. See `runScript`. */
export function asNobody(script: string): Promise<unknown> {
  return runScript(script, { uid: NOBODY_UID });
}

/**
 * What a script writes to standard output, as JSON, in a process with other rights than ours: there is no way to give
 * rights away and to get them back. It imports from `./src/`.
 */
export async function runScript(
  script: string,
  { prefix = [], uid }: { readonly prefix?: readonly string[]; readonly uid?: number },
): Promise<unknown> {
  using directory = temporaryDirectory();
  // Its own copies, because a checkout may lie where that process cannot go.
  cpSync(join(ROOT, "src"), join(directory.path, "src"), { recursive: true });
  const bun = join(directory.path, "bun");
  await Bun.write(bun, Bun.file(process.execPath));
  chmodSync(bun, 0o755);
  await Bun.write(join(directory.path, "script.ts"), script);
  const user = uid === undefined ? {} : { uid, gid: uid };
  const child = Bun.spawn([...prefix, bun, "script.ts"], { cwd: directory.path, env: {}, ...user });
  return JSON.parse(await child.stdout.text());
}
