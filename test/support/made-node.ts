import { closeSync, constants, linkSync, mkdirSync, openSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { listenWithoutAccept } from "./raw-socket";
import { temporaryDirectory } from "../../scripts/temporary";

/**
 * A node's file system below a temporary directory, for `--root`. All paths are those of the node: `/var/lib/kubelet`.
 */
export interface MadeNode extends AsyncDisposable {
  readonly rootDir: string;
  /** Where a path of the node is for this process. Links are not followed. */
  outer(path: string): string;
  directory(path: string): void;
  file(path: string, text?: string): void;
  /** A FIFO without a writer: who opens it hangs, at most until the node is disposed of. */
  fifo(path: string): void;
  /** A symbolic link; an absolute target is the node's. */
  link(path: string, target: string): void;
  /** A second name for a file. */
  hardLink(path: string, existing: string): void;
  /** `to` as bytes has a name that is not UTF-8. */
  rename(from: string, to: string | Buffer): void;
  /** Left by a driver that was killed. */
  staleSocket(path: string): void;
  /** Somebody accepts connections, and says nothing. */
  liveSocket(path: string): Promise<void>;
}

/** Makes an empty node. What is made in it has its directories made before it. Dispose of it to remove all. */
export function makeNode(): MadeNode {
  const place = temporaryDirectory();
  const closers: (() => void)[] = [];
  const outer = (path: string) => join(place.path, path);
  const prepared = (path: string) => {
    mkdirSync(dirname(outer(path)), { recursive: true });
    return outer(path);
  };
  return {
    rootDir: place.path,
    outer,
    directory: (path) => void mkdirSync(outer(path), { recursive: true }),
    file: (path, text = "") => writeFileSync(prepared(path), text),
    fifo: (path) => {
      Bun.spawnSync(["mkfifo", prepared(path)]);
      // On Linux, opening one for both does not block, and wakes who waits for a writer.
      closers.push(() => closeSync(openSync(outer(path), constants.O_RDWR)));
    },
    link: (path, target) => symlinkSync(target, prepared(path)),
    hardLink: (path, existing) => linkSync(outer(existing), prepared(path)),
    rename: (from, to) =>
      renameSync(outer(from), typeof to === "string" ? prepared(to) : Buffer.concat([Buffer.from(place.path), to])),
    staleSocket: (path) => listenWithoutAccept(prepared(path), 1).close(),
    liveSocket: async (path) => void closers.push(await listen(prepared(path))),
    [Symbol.asyncDispose]: async () => {
      for (const close of closers) close();
      place[Symbol.dispose]();
    },
  };
}

/** The directories that every kubelet makes. */
export function makeKubeletRoot(node: MadeNode, path = "/var/lib/kubelet"): void {
  for (const name of ["plugins/kubernetes.io", "plugins_registry", "pods"]) node.directory(join(path, name));
}

async function listen(path: string): Promise<() => void> {
  const server = createServer((socket) => void socket.on("error", () => {}).resume());
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  return () => void server.close();
}
