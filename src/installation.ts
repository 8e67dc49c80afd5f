import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { ConfigError, errorCode, errorText } from "./errors";

/** The files that this process runs from. */
export interface OwnFiles {
  readonly executable: string;
  /** glibc's loader; the name is that of the architecture. */
  readonly loader: string;
  readonly libraries: readonly string[];
}

/** What the executable names as needed, but for the loader (`ldd`). */
const SONAMES = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];

/**
 * Finds them by what the kernel has mapped into this process (proc_pid_maps(5)), which is right in an image, on a node, and when
 * it was started through a loader: /proc/self/exe is the loader then.
 *
 * @throws {ConfigError} where a library is not where the others are
 */
export function findOwnFiles(maps = readFileSync("/proc/self/maps", "utf8")): OwnFiles {
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
    return path;
  });
  return { executable, loader, libraries };
}

/**
 * Copies the executable, its loader and its libraries into a directory, where it then runs on any node or in any container of the
 * same architecture, whatever glibc is there or not. A file appears whole or not at all; one of the same name is replaced.
 *
 * @returns the words to start it by
 * @throws {ConfigError} where the directory cannot be written to
 */
export function install(
  { executable, loader, libraries }: OwnFiles,
  directory: string,
  version: string,
): readonly string[] {
  const lib = join(directory, "lib");
  const start = [join(lib, "ld.so"), "--library-path", lib, join(directory, "livenessprobe")];
  try {
    mkdirSync(lib, { recursive: true });
    place(executable, join(directory, "livenessprobe"));
    place(loader, join(lib, "ld.so"));
    for (const library of libraries) place(library, join(lib, basename(library)));
    writeFileSync(join(directory, "README.txt"), noteText(start, version));
  } catch (error) {
    throw new ConfigError(
      `cannot install into ${directory}: ${errorCode(error) ?? errorText(error)}; is it a directory that we may write to, with 120 MB to spare?`,
    );
  }
  return start;
}

function place(from: string, to: string): void {
  const partial = `${to}.part`;
  copyFileSync(from, partial);
  chmodSync(partial, 0o755);
  renameSync(partial, to);
}

function noteText(start: readonly string[], version: string): string {
  return [
    `livenessprobe ${version}, with the loader and the libraries that it needs. To start it here:`,
    "",
    `  ${start.join(" ")} list`,
    "",
    "If this directory is mounted elsewhere, put that path in place of this one, three times.",
    "",
  ].join("\n");
}
