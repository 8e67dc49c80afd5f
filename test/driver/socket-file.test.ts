import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readRights } from "../../src/driver/rights";
import { lookAtSocketFile, type SocketFile } from "../../src/driver/socket-file";
import { createSocketCase, NOBODY_UID, type SocketCaseName } from "../support/socket-cases";
import { temporaryDirectory } from "../../scripts/temporary";

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;
const A_SOCKET = { kind: "socket", uid, gid, mode: expect.any(Number), writable: true, rights: readRights() };

test.each<[SocketCaseName, object]>([
  ["a missing file", { kind: "missing", missingDirectory: undefined }],
  ["a regular file", { kind: "notASocket", type: "regular file" }],
  ["a directory", { kind: "notASocket", type: "directory" }],
  ["a dangling symlink", { kind: "danglingLink" }],
  ["a symlink loop", { kind: "notASocket", type: "symbolic link that leads back to itself" }],
  ["a symlink to a driver's socket", A_SOCKET],
  ["a stale socket", A_SOCKET],
  ["a socket whose backlog is full", A_SOCKET],
  ["a socket that nobody accepts from", A_SOCKET],
  ["root's socket with mode 0755", { ...A_SOCKET, mode: 0o755 }],
])("it tells of %s", async (name, seen) => {
  await using place = await createSocketCase(name);
  expect(lookAtSocketFile(place.path)).toEqual(seen as SocketFile);
});

test("of a missing directory it tells the topmost one that is missing", async () => {
  await using place = await createSocketCase("a missing directory");
  const deeper = join(dirname(place.path), "deeper", "csi.sock");
  expect(lookAtSocketFile(deeper)).toEqual({ kind: "missing", missingDirectory: dirname(place.path) });
});

test("a path through a file is no socket", () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, "file");
  writeFileSync(file, "");
  expect(lookAtSocketFile(join(file, "csi.sock"))).toEqual({
    kind: "notASocket",
    type: "path through a file that is no directory",
  });
});

test("a path through a dangling link is missing, and no directory above it is", () => {
  using directory = temporaryDirectory();
  const link = join(directory.path, "link");
  symlinkSync(join(directory.path, "gone"), link);
  expect(lookAtSocketFile(join(link, "csi.sock"))).toEqual({ kind: "missing", missingDirectory: undefined });
});

test("a FIFO is told from a device", async () => {
  using directory = temporaryDirectory();
  const fifo = join(directory.path, "fifo");
  expect(await Bun.spawn(["mkfifo", fifo]).exited).toBe(0);
  expect(lookAtSocketFile(fifo)).toEqual({ kind: "notASocket", type: "FIFO" });
  expect(lookAtSocketFile("/dev/null")).toEqual({ kind: "notASocket", type: "device" });
});

const RIGHTS_OF_NOBODY = { uid: NOBODY_UID, groups: [NOBODY_UID], capabilities: [], ownUserNamespace: false };

test.if(uid === 0)("of a socket behind a directory that denies it, it tells which one", async () => {
  using directory = temporaryDirectory();
  const closed = join(directory.path, "closed");
  mkdirSync(closed);
  chmodSync(closed, 0o700);
  expect(await lookAs(NOBODY_UID, join(closed, "csi.sock"))).toEqual({
    kind: "unreachable",
    directory: { path: closed, uid: 0, gid: 0, mode: 0o700 },
    rights: RIGHTS_OF_NOBODY,
  });
});

test.if(uid === 0)("of one behind a link into such a directory, it does not guess", async () => {
  using directory = temporaryDirectory();
  const closed = join(directory.path, "closed");
  mkdirSync(join(closed, "inner"), { recursive: true });
  chmodSync(closed, 0o700);
  symlinkSync(join(closed, "inner"), join(directory.path, "link"));
  expect(await lookAs(NOBODY_UID, join(directory.path, "link", "csi.sock"))).toEqual({
    kind: "unreachable",
    rights: RIGHTS_OF_NOBODY,
  });
});

test.if(uid === 0)("of root's socket it tells another uid that it may not write", async () => {
  await using place = await createSocketCase("root's socket with mode 0755");
  expect(await lookAs(NOBODY_UID, place.path)).toEqual({
    kind: "socket",
    uid: 0,
    gid: 0,
    mode: 0o755,
    writable: false,
    rights: RIGHTS_OF_NOBODY,
  });
});

/** What a process under another uid sees: there is no way to become one and come back. */
async function lookAs(otherUid: number, path: string): Promise<unknown> {
  using directory = temporaryDirectory();
  // Its own copies, because a checkout may lie where that uid cannot go.
  const build = await Bun.build({
    entrypoints: [join(import.meta.dir, "../../src/driver/socket-file.ts")],
    outdir: directory.path,
    target: "bun",
  });
  expect(build.success).toBe(true);
  const bun = join(directory.path, "bun");
  await Bun.write(bun, Bun.file(process.execPath));
  chmodSync(bun, 0o755);
  const program = `import { lookAtSocketFile } from "./socket-file.js"; console.log(JSON.stringify(lookAtSocketFile(${JSON.stringify(path)})));`;
  const child = Bun.spawn([bun, "-e", program], { cwd: directory.path, env: {}, uid: otherUid, gid: otherUid });
  return JSON.parse(await child.stdout.text());
}
