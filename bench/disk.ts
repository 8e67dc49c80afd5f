import {
  copyFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import type { Cleanup } from "./cleanup";
import type { Overlay } from "./launch";
import type { Program } from "./programs";

/** A file system of its own with a program in it, whose pages can be thrown out of the page cache. */
export interface Disk extends Disposable {
  readonly program: Program;
  /** The program's libraries on this disk, to be seen where the loader looks for them. */
  readonly overlays: readonly Overlay[];
  /** Whether it is a disk of our own with the kernel's default read-ahead; else why it is not, and what it is. */
  readonly own: { readonly kind: "yes" } | { readonly kind: "no"; readonly why: string };
  /** Throws its files out of the page cache. */
  evict(): void;
  /** Reads its files into the page cache. */
  warm(): void;
}

/** The kernel's default. With more, much of an executable is read and thrown away again where memory is short. */
export const READ_AHEAD_KIB = 128;

/** Puts a program and its libraries on a disk of their own, or in a directory where no disk may be made. */
export function openDisk(program: Program, cleanup: Cleanup): Disk {
  const directory = cleanup.directory();
  const mounted = mountImage(directory.path, Math.ceil(Bun.file(program.path).size / 2 ** 20) + 24, cleanup);
  const place = mounted.kind === "mounted" ? mounted.path : directory.path;
  const copy = (path: string): string => {
    const target = join(place, basename(path));
    copyFileSync(realpathSync(path), target);
    chmodSync(target, 0o755);
    return target;
  };
  const path = copy(program.path);
  // Without a mount namespace, which takes the same right as a mount, its libraries are those of the machine.
  const libraries = mounted.kind === "mounted" ? librariesOf(program.path) : [];
  const overlays = libraries.map((library) => ({ file: copy(library), insteadOf: library }));
  const files = [path, ...overlays.map(({ file }) => file)];
  return {
    program: { ...program, path },
    overlays,
    own: mounted.kind === "mounted" ? { kind: "yes" } : { kind: "no", why: mounted.why },
    // POSIX_FADV_DONTNEED, by way of dd(1), for which no privilege is needed.
    evict: () =>
      files.forEach((file) => must(["dd", `of=${file}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"])),
    warm: () => files.forEach((file) => void readFileSync(file)),
    [Symbol.dispose]: () => {
      if (mounted.kind === "mounted") mounted.undo[Symbol.dispose]();
      directory[Symbol.dispose]();
    },
  };
}

type Mounted =
  | { readonly kind: "mounted"; readonly path: string; readonly undo: Disposable }
  | { readonly kind: "refused"; readonly why: string };

function mountImage(directory: string, sizeMib: number, cleanup: Cleanup): Mounted {
  if (process.getuid?.() !== 0) return { kind: "refused", why: "a loop mount takes root" };
  const image = join(directory, "disk.img");
  const path = join(directory, "mount");
  mkdirSync(path);
  const commands = [
    ["truncate", "-s", `${sizeMib}M`, image],
    ["mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", image],
    ["mount", "-o", "loop,noatime", image, path],
    ["unshare", "--mount", "true"],
  ];
  for (const command of commands) {
    const failure = attempt(command);
    if (failure === undefined) continue;
    if (command[0] === "unshare") attempt(["umount", path]);
    return { kind: "refused", why: failure };
  }
  // Lazily: what was started from it may be on its way out. The loop device goes with the mount.
  const undo = cleanup.add(() => must(["umount", "--lazy", path]));
  const readAhead = `/sys/block/${loopDeviceOf(image)}/queue/read_ahead_kb`;
  writeFileSync(readAhead, String(READ_AHEAD_KIB));
  return { kind: "mounted", path, undo };
}

function loopDeviceOf(image: string): string {
  const device = readdirSync("/sys/block").find((name) => {
    const backing = `/sys/block/${name}/loop/backing_file`;
    return existsSync(backing) && readFileSync(backing, "utf8").trim() === image;
  });
  if (device === undefined) throw new Error(`no loop device is behind ${image}`);
  return device;
}

/** Absolute paths; none of a static program. */
function librariesOf(executable: string): readonly string[] {
  const listed = Bun.spawnSync(["ldd", executable], { stdin: "ignore" }).stdout.toString();
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? "");
}

function must(command: readonly string[]): void {
  const failure = attempt(command);
  if (failure !== undefined) throw new Error(failure);
}

/** Why it failed; undefined where it did not. */
function attempt(command: readonly string[]): string | undefined {
  const [name = ""] = command;
  if (Bun.which(name) === null) return `${name} is not in PATH`;
  const { success, stderr } = Bun.spawnSync([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  return success ? undefined : `${name} says: ${stderr.toString().trim()}`;
}
