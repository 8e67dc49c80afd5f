/** One entry of a tar file. */
export type TarEntry = {
  /** Relative to the root, with neither a slash before nor behind it; empty for the root itself. */
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
  /** `target` as it is written, relative to the link's own directory where it has no slash before it. */
  | { readonly type: "symlink"; readonly target: string }
  /** `target` is the `path` of an earlier entry. */
  | { readonly type: "hardlink"; readonly target: string }
  /** Device files and named pipes. */
  | { readonly type: "special"; readonly flag: string }
);

const BLOCK = 512;

/**
 * Reads an uncompressed tar in POSIX.1-2001's formats ustar and pax, as Go's archive/tar writes them.
 *
 * @throws where a checksum is wrong, the file ends within an entry, or an entry is of GNU's own format
 */
export function readTar(tar: Uint8Array): readonly TarEntry[] {
  const entries: TarEntry[] = [];
  // What a pax header says of the entry behind it.
  let pax: ReadonlyMap<string, string> = new Map();
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const header = tar.subarray(at, at + BLOCK);
    checkSum(header, at);
    const flag = text(header, 156, 1) || "0";
    const size = Number(pax.get("size") ?? number(header, 124, 12));
    const content = tar.subarray(at + BLOCK, at + BLOCK + size);
    if (content.length < size) throw new Error(`tar: the entry at byte ${at} has ${content.length} of ${size} bytes`);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    // A header for all entries to come says nothing of one of them; Go writes none, git archive its commit.
    if (flag === "g") continue;
    if (flag === "x") {
      pax = readPax(content);
      continue;
    }
    entries.push(readEntry(header, pax, flag, content));
    pax = new Map();
  }
  return entries;
}

function readEntry(header: Uint8Array, pax: ReadonlyMap<string, string>, flag: string, content: Uint8Array): TarEntry {
  const prefix = text(header, 345, 155);
  const name = text(header, 0, 100);
  const target = pax.get("linkpath") ?? text(header, 157, 100);
  const common = {
    path: relative(pax.get("path") ?? (prefix === "" ? name : `${prefix}/${name}`)),
    mode: number(header, 100, 8) & 0o7777,
    uid: Number(pax.get("uid") ?? number(header, 108, 8)),
    gid: Number(pax.get("gid") ?? number(header, 116, 8)),
    mtime: Math.floor(Number(pax.get("mtime") ?? number(header, 136, 12))),
  };
  switch (flag) {
    case "0":
      return { ...common, type: "file", content };
    case "1":
      return { ...common, type: "hardlink", target: relative(target) };
    case "2":
      return { ...common, type: "symlink", target };
    case "5":
      return { ...common, type: "directory" };
    case "3":
    case "4":
    case "6":
      return { ...common, type: "special", flag };
    default:
      throw new Error(`tar: ${common.path} is of type ${flag}, which neither ustar nor pax has`);
  }
}

/** Records of `LENGTH KEY=VALUE\n`, where LENGTH counts the bytes of the whole record. */
function readPax(content: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const end = at + Number(decode(content.subarray(at, space)));
    if (!(end > space)) throw new Error(`tar: a pax record at byte ${at} has no length`);
    const record = decode(content.subarray(space + 1, end - 1));
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

/** The sum of the header's bytes, with its own field taken as spaces. */
function checkSum(header: Uint8Array, at: number): void {
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  if (sum !== number(header, 148, 8)) throw new Error(`tar: the header at byte ${at} has a wrong checksum`);
}

function number(header: Uint8Array, start: number, length: number): number {
  return Number.parseInt(text(header, start, length).trim() || "0", 8);
}

function text(header: Uint8Array, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return decode(end === -1 ? field : field.subarray(0, end));
}

function relative(path: string): string {
  return path.replace(/^(\.?\/)+|^\.$/, "").replace(/\/+$/, "");
}

const decoder = new TextDecoder();

function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
