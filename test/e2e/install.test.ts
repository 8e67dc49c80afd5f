import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../../scripts/run";
import { temporaryDirectory } from "../../scripts/temporary";
import { copyExecutable, EXECUTABLE } from "../support/executable";
import { startPython } from "../support/made-node-process";
import { runSidecar } from "../support/sidecar";
import { NOBODY_UID } from "../support/socket-cases";
import { usable } from "../support/usable";
import { waitUntil } from "../support/wait";

// An installation copies 110 MB, which takes long on a busy machine.
setDefaultTimeout(60_000);

const LIBRARIES = ["ld.so", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];
const INSTALLED = ["README.txt", ...LIBRARIES.map((name) => `lib/${name}`), "livenessprobe"];

test("what is installed starts as it says, and can install itself again", async () => {
  using directory = temporaryDirectory();
  const [first, second] = ["first", "second"].map((name) => join(directory.path, name)) as [string, string];
  const { code, stdout, stderr } = await runSidecar(["install", first]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("--start-as PATH") });
  const start = startIn(stdout);
  expect(await run(["sh", "-c", `${start} --version`])).toStartWith("livenessprobe ");
  expect(readFileSync(join(first, "README.txt"), "utf8")).toContain(stdout);
  expect(filesIn(first)).toEqual(INSTALLED);

  const again = await run(["sh", "-c", `${start} install ${second}`]);
  expect(await run(["sh", "-c", `${startIn(again)} --version`])).toStartWith("livenessprobe ");
});

test("--start-as is the path in what it prints and in README.txt, quoted for a shell", async () => {
  using directory = temporaryDirectory();
  const ran = await runSidecar(["install", directory.path, "--start-as", "/opt/it's here"]);
  const place = String.raw`/opt/it'\''s here`;
  const start = `'${place}/lib/ld.so' --library-path '${place}/lib' '${place}/livenessprobe'`;
  const stdout = `To list the CSI drivers of a node:\n  ${start} list\nTo run the sidecar:\n  ${start} --csi-address=/csi/csi.sock\n`;
  expect(ran).toEqual({ code: 0, signal: null, stdout, stderr: "" });
  expect(readFileSync(join(directory.path, "README.txt"), "utf8")).toContain(stdout);
});

const mayChroot = usable("a root without glibc", ["unshare", "--mount", "true"]);
test.if(mayChroot)("it needs nothing else of the file system but /proc", async () => {
  using directory = temporaryDirectory();
  await runSidecar(["install", join(directory.path, "tool")]);
  mkdirSync(join(directory.path, "proc"));
  const enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"';
  const start = ["/tool/lib/ld.so", "--library-path", "/tool/lib", "/tool/livenessprobe", "--version"];
  const said = await run(["unshare", "--mount", "sh", "-c", enter, directory.path, ...start]);
  expect(said).toStartWith("livenessprobe ");
});

test.each([
  ["no directory", [], "install needs DEST: the directory to copy into"],
  ["a relative one", ["tool"], 'DEST must be an absolute path, got "tool"'],
  ["a relative one to start it as", ["/tool", "--start-as=tool"], '--start-as must be an absolute path, got "tool"'],
  [
    "one that cannot be pasted",
    ["/tool", "--start-as=/a\nb"],
    String.raw`the path must hold printable characters alone, got "/a\nb"`,
  ],
  [
    "one that cannot be written to",
    ["/proc/tool"],
    "cannot install into /proc/tool: no directory can be made there; choose another path",
  ],
])("%s is refused in a line, exit code 1", async (_, words, line) => {
  expect(await runSidecar(["install", ...words])).toMatchObject({ code: 1, stdout: "", stderr: `${line}\n` });
});

describe("another version", () => {
  test("replaces what the one before has installed", async () => {
    using directory = temporaryDirectory();
    await runSidecar(["install", directory.path]);
    pretendOther(directory.path);
    expect((await runSidecar(["install", directory.path])).code).toBe(0);
    expect(statSync(join(directory.path, "livenessprobe")).size).toBe(statSync(EXECUTABLE).size);
    expect(readFileSync(join(directory.path, "README.txt"), "utf8").match(/ livenessprobe$/gm)).toHaveLength(1);
  });

  test("does not replace what somebody has put in its place since, unless --force is given", async () => {
    using directory = temporaryDirectory();
    await runSidecar(["install", directory.path]);
    writeFileSync(join(directory.path, "livenessprobe"), "theirs");
    const ran = await runSidecar(["install", directory.path]);
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining("not install: livenessprobe; ") });
    expect(readFileSync(join(directory.path, "livenessprobe"), "utf8")).toBe("theirs");
    expect((await runSidecar(["install", directory.path, "--force"])).code).toBe(0);
    expect(statSync(join(directory.path, "livenessprobe")).size).toBe(statSync(EXECUTABLE).size);
  });
});

const mayBeOthers = usable("another user's files", ["setpriv", `--reuid=${NOBODY_UID}`, "true"]);

describe.if(mayBeOthers)("what a process of another user has put into a directory that all may write to:", () => {
  test.each<readonly [string, string, number]>([
    ["a link by the name of a part, as of old versions, to our file", 'ln -s "$1/victim" livenessprobe.part', 0],
    ["a link by the name of a part to our file", `ln -s "$1/victim" .livenessprobe-${"0".repeat(32)}.part`, 0],
    ["a link for the executable to our file", 'ln -s "$1/victim" livenessprobe', 1],
    ["a link for README.txt to our file", 'ln -s "$1/victim" README.txt', 1],
    ["a README.txt of their own", "echo theirs >README.txt", 1],
    ["a FIFO for README.txt", "mkfifo README.txt", 1],
    ["an executable, and a README.txt that calls it ours", `echo theirs >livenessprobe; ${forgedNote()}`, 1],
    ["a library", "mkdir lib; echo theirs >lib/libc.so.6", 1],
    ["a directory for the libraries", "mkdir lib", 1],
    ["a link for the libraries to our directory", 'ln -s "$1" lib', 1],
  ])("%s", async (_, script, code) => {
    using place = hostilePlace();
    const before = await asNobody(place.dest, script, place.ours);
    expect((await runSidecar(["install", place.dest])).code).toBe(code);
    // What is not ours is as it was, and what is ours as well.
    expect(listing(place.dest)).toEqual(expect.arrayContaining([...before]));
    expect(ofOurs(place.ours)).toEqual({ files: ["victim"], victim: "ours" });
  });

  test.each<readonly [string, string, number]>([
    ["a link for the executable", 'ln -s "$1/victim" livenessprobe', 0],
    ["a link for README.txt", 'ln -s "$1/victim" README.txt', 0],
    ["a link for the libraries", 'ln -s "$1" lib', 1],
  ])("with --force, %s to what is ours is not followed", async (_, script, code) => {
    using place = hostilePlace();
    await asNobody(place.dest, script, place.ours);
    expect((await runSidecar(["install", "--force", place.dest])).code).toBe(code);
    expect(ofOurs(place.ours)).toEqual({ files: ["victim"], victim: "ours" });
  });

  test("a directory for the libraries that turns into a link and back, all the time", async () => {
    using place = hostilePlace();
    mkdirSync(join(place.dest, "lib"));
    symlinkSync(place.ours, join(place.dest, "link"));
    // Who may write to a directory may rename what is in it, whoever owns that.
    await using _ = await startPython(SWAP, [place.dest], { uid: NOBODY_UID });
    for (let round = 0; round < 10; round += 1)
      // oxlint-disable-next-line no-await-in-loop -- each round has another chance to be caught in between
      await runSidecar(["install", "--force", place.dest]);
    expect(ofOurs(place.ours)).toEqual({ files: ["victim"], victim: "ours" });
  });
});

describe.if(mayBeOthers)("what another user could replace is not installed, unless --force is given:", () => {
  test.each([
    ["a directory of theirs", (dest: string) => chownSync(dest, NOBODY_UID, NOBODY_UID), ""],
    ["a directory in one of theirs", (dest: string) => chownSync(dirname(dest), NOBODY_UID, NOBODY_UID), "/.."],
  ] as const)("%s", async (_, give, theirs) => {
    using place = hostilePlace();
    give(place.dest);
    const ran = await runSidecar(["install", place.dest]);
    const stderr = `${join(place.dest, theirs)} belongs to uid ${NOBODY_UID}, who could replace what is installed; choose a directory that belongs to uid 0, as those above it, or install there all the same with --force\n`;
    expect(ran).toEqual({ code: 1, signal: null, stdout: "", stderr });
    expect(filesIn(place.dest)).toEqual([]);
    expect((await runSidecar(["install", "--force", place.dest])).code).toBe(0);
  });

  test("a link of theirs to a directory of ours", async () => {
    using place = hostilePlace();
    await asNobody(place.dest, 'ln -s "$1" link', place.ours);
    const link = join(place.dest, "link");
    expect(await runSidecar(["install", link])).toMatchObject({ code: 1, stdout: "" });
    expect(ofOurs(place.ours)).toEqual({ files: ["victim"], victim: "ours" });
  });

  test("a directory of root's, such as an emptyDir, is no such one", async () => {
    using place = hostilePlace();
    const executable = copyExecutable(dirname(place.dest));
    const ran = await runSidecar(["install", place.dest], { executable, uid: NOBODY_UID });
    expect(ran.code).toBe(0);
  });
});

test.if(mayBeOthers)(
  "what root has installed is not called foreign to another user: the permission is missing",
  async () => {
    using place = hostilePlace();
    const executable = copyExecutable(dirname(place.dest));
    await runSidecar(["install", place.dest], { executable });
    pretendOther(place.dest);
    const before = listing(place.dest);
    const ran = await runSidecar(["install", place.dest], { executable, uid: NOBODY_UID });
    const stderr = `cannot install into ${place.dest}: uid ${NOBODY_UID} may not write there; run install as the user that it belongs to, or choose another directory\n`;
    expect(ran).toEqual({ code: 1, signal: null, stdout: "", stderr });
    expect(listing(place.dest)).toEqual([...before]);
  },
);

describe("what ends it in the middle of a copy leaves nothing half done:", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s", async (signal, code) => {
    using directory = temporaryDirectory();
    expect(await endInTheMiddle(directory.path, signal)).toBe(code);
    expect(filesIn(directory.path)).toEqual(["README.txt"]);
  });

  test("SIGKILL, once it is run again", async () => {
    using directory = temporaryDirectory();
    await endInTheMiddle(directory.path, "SIGKILL");
    expect(filesIn(directory.path)).toEqual([expect.stringMatching(/^\.livenessprobe-.*\.part$/), "README.txt"]);
    expect((await runSidecar(["install", directory.path])).code).toBe(0);
    expect(filesIn(directory.path)).toEqual(INSTALLED);
  });

  test("a full disk", async () => {
    using directory = temporaryDirectory();
    const limit = ["sh", "-c", 'ulimit -f 20000; trap "" XFSZ; exec "$@"', "sh"];
    const [executable = "", ...words] = [...limit, EXECUTABLE, "install", directory.path];
    const ran = await runSidecar(words, { executable });
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining("EFBIG") });
    expect(filesIn(directory.path)).toEqual(["README.txt"]);
  });
});

/** Exchanges `lib` and `link` without a pause. */
const SWAP = `
import ctypes, os, sys
os.chdir(sys.argv[1])
libc = ctypes.CDLL(None)
print("ready", flush=True)
while True:
    libc.renameat2(-100, b"lib", -100, b"link", 2)
`;

interface HostilePlace extends Disposable {
  readonly dest: string;
  /** A directory of ours, with a file `victim` in it. */
  readonly ours: string;
}

function hostilePlace(): HostilePlace {
  const directory = temporaryDirectory();
  chmodSync(directory.path, 0o755);
  const [dest, ours] = ["dest", "ours"].map((name) => join(realpathSync(directory.path), name)) as [string, string];
  mkdirSync(ours);
  writeFileSync(join(ours, "victim"), "ours");
  mkdirSync(dest);
  chmodSync(dest, 0o777);
  return { dest, ours, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}

/** Runs a script as another user; what it has made. */
async function asNobody(dest: string, script: string, ours: string): Promise<readonly string[]> {
  const child = Bun.spawn(["sh", "-ec", script, "sh", ours], { cwd: dest, uid: NOBODY_UID, gid: NOBODY_UID });
  expect(await child.exited).toBe(0);
  return listing(dest);
}

/** Each file below a directory, with its owner and what it says or leads to. */
function listing(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isFIFO())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const content = entry.isFile() ? Bun.hash(readFileSync(path)) : entry.isSymbolicLink() ? readlinkSync(path) : "";
      return `${path} ${lstatSync(path).uid} ${content}`;
    });
}

function ofOurs(ours: string) {
  return { files: readdirSync(ours), victim: readFileSync(join(ours, "victim"), "utf8") };
}

/** The command that starts what was installed, in what `install` wrote. */
function startIn(stdout: string): string {
  return /^ {2}(.*) list$/m.exec(stdout)?.[1] ?? "";
}

function forgedNote(): string {
  const digest = new Bun.CryptoHasher("sha256").update("theirs\n").digest("hex");
  const begin = "livenessprobe 0.0.1, with the loader and the libraries that it needs.";
  return `printf '%s\\n' '${begin}' '${digest}  livenessprobe' >README.txt`;
}

/** As if another version had installed the executable. */
function pretendOther(directory: string): void {
  const note = join(directory, "README.txt");
  const digest = new Bun.CryptoHasher("sha256").update("other").digest("hex");
  writeFileSync(join(directory, "livenessprobe"), "other");
  writeFileSync(note, readFileSync(note, "utf8").replace(/^\w{64}(?= {2}livenessprobe$)/m, digest));
}

function filesIn(directory: string): readonly string[] {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1)).toSorted();
}

/** Starts an installation and ends it while the executable is being copied; its exit code. */
async function endInTheMiddle(directory: string, signal: NodeJS.Signals): Promise<number | null> {
  const child = Bun.spawn([EXECUTABLE, "install", directory], { env: {}, stdout: "ignore", stderr: "ignore" });
  if (await stopWhileCopying(child, directory)) {
    child.kill(signal);
    child.kill("SIGCONT");
    await child.exited;
    return child.exitCode;
  }
  // On a busy machine a copy may be over before it is seen: then once more.
  for (const name of filesIn(directory)) rmSync(join(directory, name));
  return endInTheMiddle(directory, signal);
}

/** Looks at the directory while the process is stopped, so that it cannot go on before a signal comes. */
async function stopWhileCopying(child: Bun.Subprocess, directory: string): Promise<boolean> {
  await waitUntil(() => {
    child.kill("SIGSTOP");
    if (isCopying(directory)) return true;
    child.kill("SIGCONT");
    return child.exitCode !== null;
  }, "a part of the executable");
  return child.exitCode === null;
}

function isCopying(directory: string): boolean {
  if (!existsSync(directory)) return false;
  const parts = readdirSync(directory).filter((name) => name.endsWith(".part"));
  return parts.some((name) => {
    const size = statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
    return size > 1_048_576 && size < statSync(EXECUTABLE).size / 2;
  });
}
