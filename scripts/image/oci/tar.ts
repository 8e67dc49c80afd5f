import { Parser, type ReadEntry } from "tar";

/** One entry of a tar file. */
export type TarEntry = {
  /** Relative to the root, without a slash before or after it; empty for the root itself. */
  readonly path: string;
  /** The permission bits with setuid, setgid and sticky: at most 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
} & (
  | { readonly type: "file"; readonly content: Uint8Array }
  | { readonly type: "directory" }
  /** `target` as it is written: relative to the link's own directory, or absolute. */
  | { readonly type: "symlink"; readonly target: string }
  /** Device files and named pipes. */
  | { readonly type: "special" }
);

/**
 * Reads an uncompressed tar.
 *
 * @throws where it is damaged, or has an entry of a type that our images do not have, such as a hard link
 */
export function readTar(tar: Uint8Array): readonly TarEntry[] {
  const entries: TarEntry[] = [];
  const onReadEntry = (entry: ReadEntry): void => {
    const chunks: Buffer[] = [];
    entry.on("data", (chunk) => void chunks.push(chunk));
    entry.on("end", () => void entries.push(readEntry(entry, chunks)));
  };
  // For an uncompressed tar, this returns when all is read.
  new Parser({ onReadEntry, onwarn }).end(Buffer.from(tar.buffer, tar.byteOffset, tar.length));
  return entries;
}

function onwarn(code: string, message: string | Error): never {
  throw new Error(`tar: ${code}: ${message instanceof Error ? message.message : message}`);
}

function readEntry(entry: ReadEntry, chunks: readonly Buffer[]): TarEntry {
  const { mode = 0, uid = 0, gid = 0, mtime, linkpath = "" } = entry;
  const path = entry.path.replace(/^(\.?\/)+|^\.$/, "").replace(/\/+$/, "");
  const common = { path, mode: mode & 0o7777, uid, gid, mtime: (mtime?.getTime() ?? 0) / 1_000 };
  switch (entry.type) {
    case "File":
    case "OldFile":
      return { ...common, type: "file", content: Buffer.concat(chunks) };
    case "Directory":
      return { ...common, type: "directory" };
    case "SymbolicLink":
      return { ...common, type: "symlink", target: linkpath };
    case "CharacterDevice":
    case "BlockDevice":
    case "FIFO":
      return { ...common, type: "special" };
    default:
      throw new Error(`tar: ${path} is a ${entry.type}; no image of ours has one`);
  }
}
