import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { bindDatagrams, listenWithoutAccept } from "./raw-socket";
import { temporaryDirectory } from "../../scripts/temporary";

export interface SocketCase extends AsyncDisposable {
  readonly path: string;
}

export type SocketCaseName = keyof typeof SOCKET_CASES;

/** Sets a case up at `path`, in a fresh directory; what it returns is called at the end. */
type SetUp = (path: string) => Promise<() => void> | (() => void);

/** The uid that a sidecar without root has; see the case "root's socket with mode 0755". */
export const NOBODY_UID = 65_532;

/** What there may be in the place of a driver's socket. */
export const SOCKET_CASES = {
  "a missing file": () => nothing,
  "a missing directory": () => nothing,
  "a regular file": make((path) => writeFileSync(path, "")),
  "a directory": make((path) => mkdirSync(path)),
  "a dangling symlink": make((path) => symlinkSync(`${path}.gone`, path)),
  "a symlink loop": make((path) => symlinkSync(path, path)),
  "a symlink to a driver's socket": async (path) => {
    const close = await listen(`${path}.real`);
    symlinkSync(`${path}.real`, path);
    return close;
  },
  /** Left by a driver that was killed. */
  "a stale socket": make((path) => listenWithoutAccept(path, 1).close()),
  /** A hang to the client as well: connect(2) would block, and EAGAIN is what it says to a socket that must not. */
  "a socket whose backlog is full": (path) => {
    const listener = listenWithoutAccept(path, 1);
    listener.fill();
    return listener.close;
  },
  "a datagram socket": bindDatagrams,
  "a socket that nobody accepts from": (path) => listenWithoutAccept(path, 16).close,
  /** Connecting takes write permission on the socket (unix(7)): for NOBODY_UID it fails. Root made it: run as root. */
  "root's socket with mode 0755": async (path) => {
    const close = await listen(path);
    chmodSync(path, 0o755);
    return close;
  },
} as const satisfies Record<string, SetUp>;

/** Makes a case; dispose of it to remove what it made. */
export async function createSocketCase(name: SocketCaseName): Promise<SocketCase> {
  const directory = temporaryDirectory();
  const path = join(directory.path, name === "a missing directory" ? "missing/csi.sock" : "csi.sock");
  const setUp: SetUp = SOCKET_CASES[name];
  const tearDown = await setUp(path);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      tearDown();
      directory[Symbol.dispose]();
    },
  };
}

/** A server that accepts and says nothing. */
async function listen(path: string): Promise<() => void> {
  const server = createServer((socket) => void socket.on("error", () => {}).resume());
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  return () => void server.close();
}

/** A case that is there once made, and needs nothing but its directory removed. */
function make(step: (path: string) => void): SetUp {
  return (path) => {
    step(path);
    return nothing;
  };
}

function nothing(): void {}
