import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ConfigError, errorCode, errorText } from "../base/errors";
import { type Content, type HeldDirectory, holdDirectory, type OnInterrupt, readPieces } from "./held-directory";
import { shellCommand } from "../base/shell-command";
import { quote } from "../base/text";

/** A file that this process runs from, and its name where it is installed. */
export interface OwnFile {
  readonly path: string;
  readonly as: string;
}

/** The libraries that the executable needs (`ldd`), without the loader. */
const SONAMES = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];

/**
 * Finds the executable, glibc's loader and the libraries among the files that are mapped into this process
 * (proc_pid_maps(5)). /proc/self/exe would be the loader, if this was started by one.
 *
 * @throws {ConfigError} if one is not found
 */
export function findOwnFiles(maps = readFileSync("/proc/self/maps", "utf8")): readonly OwnFile[] {
  const mapped = [...new Set([...maps.matchAll(/ (\/.+)$/gm)].map(([, path = ""]) => path))].filter(existsSync);
  const loader = mapped.find((path) => /^ld(-linux[\w-]*)?[.-].*so/.test(basename(path)));
  const [executable] = mapped
    .filter((path) => !/\.so(\.\d+)*$/.test(path))
    .toSorted((one, other) => statSync(other).size - statSync(one).size);
  if (loader === undefined || executable === undefined)
    throw new ConfigError("install finds no loader among what this process has mapped: is this glibc's?");
  const directories = [...new Set(mapped.map((path) => dirname(path)))];
  const libraries = SONAMES.map((name) => {
    const path = directories.map((directory) => join(directory, name)).find(existsSync);
    if (path === undefined) throw new ConfigError(`install finds no ${name} in ${directories.join(", ")}`);
    return { path, as: `lib/${name}` };
  });
  return [{ path: executable, as: "livenessprobe" }, { path: loader, as: "lib/ld.so" }, ...libraries];
}

export interface InstallOptions {
  readonly directory: string;
  /** The directory's path where the executable is to be started. */
  readonly startAs: string;
  /** Whether to replace files that are not ours, and to install where another user could replace them. */
  readonly force: boolean;
  readonly version: string;
  /** Our own effective user id. */
  readonly uid: number;
  readonly onInterrupt: OnInterrupt;
}

/**
 * Copies the executable, its loader and its libraries into a directory: there it runs with any glibc or none. A file is
 * replaced only if README.txt lists its digest as installed by us. Root is going to run it, so the directory and those
 * above it must belong to uid 0 or to us: another owner could rename what is in them. Modes do not count, because
 * everybody may write to an emptyDir.
 *
 * @returns lines that say how to start it, with commands for a POSIX shell
 * @throws {ConfigError} if the directory is not writable, belongs to another user, or has files by those names that are
 *   not ours
 */
export async function install(own: readonly OwnFile[], options: InstallOptions): Promise<string> {
  const { directory, startAs } = options;
  const usage = usageOf(startAs);
  try {
    using top = holdDirectory(directory, options.onInterrupt);
    if (!options.force) assertTrusted(top, options);
    using lib = top.enter("lib");
    await installInto(top, lib, own, { ...options, usage });
    return usage;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = errorCode(error);
    throw new ConfigError(`cannot install into ${directory}: ${whyNot(code, options.uid) ?? code ?? errorText(error)}`);
  }
}

function whyNot(code: string | undefined, uid: number): string | undefined {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return `uid ${uid} may not write there; run install as the user that it belongs to, or choose another directory`;
    case "EEXIST":
    case "ENOTDIR":
      return "it is not a directory, or lies below a file; choose another path";
    case "ENOENT":
      return "no directory can be made there; choose another path";
    case "ENOSPC":
    case "EFBIG":
      return `there is no room for 120 MB (${code}); choose another directory`;
    case "EROFS":
      return "the file system is read-only; choose another directory";
    default:
      return undefined;
  }
}

function assertTrusted(top: HeldDirectory, { directory, uid }: InstallOptions): void {
  const other = [...top.owners(directory)].find(([, owner]) => !isTrusted(owner, uid));
  if (other === undefined) return;
  throw new ConfigError(
    `${other[0]} belongs to uid ${other[1]}, who could replace what is installed; choose a directory that belongs to uid ${uid}, as those above it, or install there all the same with --force`,
  );
}

function isTrusted(owner: number, uid: number): boolean {
  return owner === 0 || owner === uid;
}

function usageOf(directory: string): string {
  const lib = join(directory, "lib");
  const words = [join(lib, "ld.so"), "--library-path", lib, join(directory, "livenessprobe")];
  const start = shellCommand(words);
  if (start === undefined)
    throw new ConfigError(`the path must hold printable characters alone, got ${quote(directory)}`);
  return `To list the CSI drivers of a node:\n  ${start} list\nTo run the sidecar:\n  ${start} --csi-address=/csi/csi.sock\n`;
}

/** A file to install: the place of that name in an open directory, and what is to be there. */
interface Item extends OwnFile {
  readonly place: HeldDirectory;
  readonly name: string;
  readonly digest: string;
}

async function installInto(
  top: HeldDirectory,
  lib: HeldDirectory,
  own: readonly OwnFile[],
  options: InstallOptions & { readonly usage: string },
): Promise<void> {
  const { directory, uid, force } = options;
  const items = await Promise.all(
    own.map(async (file): Promise<Item> => {
      const place = file.as.startsWith("lib/") ? lib : top;
      return { ...file, place, name: basename(file.as), digest: await digestOf(readPieces(file.path)) };
    }),
  );
  const installed = await readNote(top, uid);
  const states = await Promise.all(items.map((item) => stateOf(item, installed ?? new Set(), uid)));
  const foreign = [
    // Its owner could put other libraries there.
    ...(isTrusted(top.look("lib")?.uid ?? uid, uid) ? [] : ["lib"]),
    ...(installed === undefined ? [NOTE] : []),
    ...items.filter((_, index) => states[index] === "foreign").map(({ as }) => as),
  ];
  if (foreign.length > 0 && !force)
    throw new ConfigError(
      `${directory} has files that this did not install: ${foreign.join(", ")}; choose another directory, or replace them with --force`,
    );
  for (const place of [top, lib]) {
    place.assertWritable();
    place.removeParts();
  }
  const lines = items.map(noteLine);
  // First with the digests of both versions, so that the next install knows all files if this one is interrupted.
  await top.place(NOTE, [noteOf(options, new Set([...lines, ...(installed ?? [])]))], 0o644);
  for (const [index, { place, name, path }] of items.entries())
    // oxlint-disable-next-line no-await-in-loop -- a disk is not faster for two at once
    if (states[index] !== "same") await place.place(name, readPieces(path), 0o755);
  await top.place(NOTE, [noteOf(options, lines)], 0o644);
}

/** Whether what is there by the name of a file needs no copy, may be replaced, or is somebody else's. */
async function stateOf(item: Item, installed: ReadonlySet<string>, uid: number): Promise<"same" | "old" | "foreign"> {
  const { place, name } = item;
  const found = place.look(name);
  if (found === undefined) return "old";
  // Another owner could change it.
  if (!found.isFile() || !isTrusted(found.uid, uid)) return "foreign";
  const digest = await digestOf(place.read(name));
  if (digest !== item.digest) return installed.has(noteLine({ ...item, digest })) ? "old" : "foreign";
  return (found.mode & 0o777) === 0o755 ? "same" : "old";
}

async function digestOf(content: Content): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const piece of content) hash.update(piece);
  return hash.digest("hex");
}

const NOTE = "README.txt";
const MAX_NOTE_BYTES = 65_536;
const NOTE_BEGIN = /^livenessprobe \S+, with the loader and the libraries that it needs\./;

/** The lines of README.txt about installed files; undefined if we did not write it. */
async function readNote(top: HeldDirectory, uid: number): Promise<ReadonlySet<string> | undefined> {
  const found = top.look(NOTE);
  if (found === undefined) return new Set();
  if (!found.isFile() || !isTrusted(found.uid, uid) || found.size > MAX_NOTE_BYTES) return undefined;
  const pieces: Uint8Array[] = [];
  for await (const piece of top.read(NOTE)) pieces.push(piece);
  const text = Buffer.concat(pieces).toString();
  return NOTE_BEGIN.test(text) ? new Set(text.match(/^[0-9a-f]{64} {2}\S+$/gm)) : undefined;
}

/** As of sha256sum(1). */
function noteLine({ digest, as }: Item): string {
  return `${digest}  ${as}`;
}

function noteOf({ usage, version }: { readonly usage: string; readonly version: string }, lines: Iterable<string>) {
  return Buffer.from(`livenessprobe ${version}, with the loader and the libraries that it needs.

${usage}
If this directory is mounted elsewhere, put that path everywhere in place of this one.

What is installed here, as sha256sum(1) lists it. \`livenessprobe install\` replaces these files, and no others.

${[...lines].join("\n")}
`);
}
