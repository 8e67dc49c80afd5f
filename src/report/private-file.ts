import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, resolve } from "node:path";
import { ConfigError, errorCode, errorText } from "../base/errors";
import { quote } from "../base/text";
import { type HeldFile, holdDirectory, holdIn } from "../node/held-file";
import { MAX_LINKS } from "../node/rooted-path";

/**
 * Writes a file that its owner alone can read. It appears whole or not at all, and replaces a regular file of that
 * name. That it can be written is known before `make` is called, which may take a while.
 *
 * No link is followed that another user could change: it may lead root to any place.
 *
 * @param onInterrupt see `ProcessContext.onInterrupt`
 * @returns the absolute path
 * @throws {ConfigError} where it cannot be written; and what `make` throws
 */
export async function writePrivately(
  file: string,
  onInterrupt: (undo: () => void) => Disposable,
  make: () => Promise<string>,
): Promise<string> {
  const path = resolve(file);
  using held = new DisposableStack();
  const directory = explained(path, () => holdWay(path, held));
  const target = `${directory.path}/${basename(path)}`;
  const found = explained(path, () => lstatSync(target, { throwIfNoEntry: false }));
  if (found !== undefined && !found.isFile())
    throw refused(path, found.isSymbolicLink() ? "it is a link" : "it is no regular file");
  const part = `${directory.path}/.livenessprobe-${crypto.randomUUID()}.part`;
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = explained(path, () => openSync(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
  const remove = (): void => rmSync(part, { force: true });
  using _ = onInterrupt(remove);
  try {
    const text = await make();
    explained(path, () => {
      for (let rest: Uint8Array = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(fd, rest));
      fsyncSync(fd);
      renameSync(part, target);
    });
  } catch (error) {
    remove();
    throw error;
  } finally {
    closeSync(fd);
  }
  return path;
}

/**
 * Holds the directory of a file, and what is on the way to it as long as it is needed. Errors of the file system are
 * thrown.
 */
function holdWay(path: string, held: DisposableStack): HeldFile {
  let ahead = path.split("/").slice(1, -1);
  let way: readonly HeldFile[] = [held.use(holdDirectory("/"))];
  for (let links = 0; ahead.length > 0;) {
    const [name = "", ...rest] = ahead;
    const here = way.at(-1) ?? held.use(holdDirectory("/"));
    ahead = rest;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      way = way.length > 1 ? way.slice(0, -1) : way;
      continue;
    }
    const next = held.use(holdIn(here, name));
    if (!next.stats.isSymbolicLink()) {
      way = [...way, next];
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw refused(path, "its links lead back to themselves");
    if (!isTrusted(next, here)) throw refused(path, `another user could change the link ${name} on the way to it`);
    const target = readlinkSync(`${here.path}/${name}`);
    ahead = [...target.split("/"), ...rest];
    if (target.startsWith("/")) way = way.slice(0, 1);
  }
  const directory = way.at(-1) ?? held.use(holdDirectory("/"));
  if (!directory.stats.isDirectory()) throw refused(path, "its directory is no directory");
  return directory;
}

const STICKY = 0o1_000n;
const WRITABLE_BY_OTHERS = 0o022n;

/**
 * Whether only root and we could have made or replaced the link: in a sticky directory only its owner and the link's
 * can.
 */
function isTrusted(link: HeldFile, directory: HeldFile): boolean {
  const { mode } = directory.stats;
  const isShared = (mode & WRITABLE_BY_OTHERS) !== 0n && (mode & STICKY) === 0n;
  return isOurs(link) && isOurs(directory) && !isShared;
}

function isOurs({ stats: { uid } }: HeldFile): boolean {
  return uid === 0n || uid === BigInt(process.geteuid?.() ?? 0);
}

const FAULTS: Readonly<Record<string, string>> = {
  ENOENT: "its directory does not exist; create it, or name another",
  ENOTDIR: "its directory is no directory; name another",
  EACCES: "permission denied; name another directory",
  EPERM: "permission denied; name another directory",
  EROFS: "the file system is read-only; name another directory, or write to standard output",
  ENOSPC: "the disk is full; make room there, or write to standard output",
  EDQUOT: "the quota is used up; make room there, or write to standard output",
};

function explained<Result>(path: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw refused(path, FAULTS[errorCode(error) ?? ""] ?? errorText(error));
  }
}

function refused(path: string, why: string): ConfigError {
  return new ConfigError(`--output must be a file that can be written, got ${quote(path)}: ${why}`);
}
