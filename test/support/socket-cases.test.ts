import { expect, test } from "bun:test";
import { type SocketCaseName, NOBODY_UID, createSocketCase } from "./socket-cases";

/** What connect(2) says, through a client that has no opinions of its own; `connected` where it does not complain. */
const CONNECT = `
import errno, socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(0)
try:
    s.connect(sys.argv[1])
    print("connected")
except OSError as error:
    print(errno.errorcode[error.errno])
`;

// Not a version manager's, which lives in a home directory that another uid may not enter.
const python3 = Bun.which("python3", { PATH: "/usr/local/bin:/usr/bin:/bin" });

test.if(python3 !== null).each<[SocketCaseName, string]>([
  ["a missing file", "ENOENT"],
  ["a missing directory", "ENOENT"],
  ["a regular file", "ECONNREFUSED"],
  ["a directory", "ECONNREFUSED"],
  ["a dangling symlink", "ENOENT"],
  ["a symlink loop", "ELOOP"],
  ["a symlink to a driver's socket", "connected"],
  ["a stale socket", "ECONNREFUSED"],
  ["a socket whose backlog is full", "EAGAIN"],
  ["a socket that nobody accepts from", "connected"],
])("connecting to %s: %s", async (name, outcome) => {
  await using place = await createSocketCase(name);
  expect(await connectTo(place.path)).toBe(outcome);
});

test.if(python3 !== null && process.getuid?.() === 0).each([
  [0, "connected"],
  [NOBODY_UID, "EACCES"],
])("connecting to root's socket with mode 0755 as uid %d: %s", async (uid, outcome) => {
  await using place = await createSocketCase("root's socket with mode 0755");
  expect(await connectTo(place.path, { uid, gid: uid })).toBe(outcome);
});

async function connectTo(path: string, user: { uid?: number; gid?: number } = {}): Promise<string> {
  const child = Bun.spawn([python3 ?? "", "-c", CONNECT, path], { cwd: "/", stdin: "ignore", stdout: "pipe", ...user });
  const text = await child.stdout.text();
  await child.exited;
  return text.trim();
}
