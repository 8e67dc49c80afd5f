import { expect, test } from "bun:test";
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { writePrivately } from "../../src/report/private-file";
import { temporaryDirectory } from "../../scripts/temporary";
import { NOBODY_UID } from "../support/socket-cases";

test.each<readonly [string, (place: string) => string]>([
  ["a new file", (place) => join(place, "a.json")],
  [
    "in place of another file",
    (place) => (writeFileSync(join(place, "a.json"), "old", { mode: 0o644 }), join(place, "a.json")),
  ],
  [
    "through a link of our own",
    (place) => {
      mkdirSync(join(place, "b"));
      symlinkSync("b", join(place, "link"));
      return join(place, "link/../b/./a.json");
    },
  ],
  [
    "through a link of root's in a shared directory",
    (place) => {
      mkdirSync(join(place, "b"));
      symlinkSync(join(place, "b"), join(place, "link"));
      chmodSync(place, 0o1777);
      return join(place, "link/a.json");
    },
  ],
])("is written for its owner alone: %s", async (_, make) => {
  using place = temporaryDirectory();
  const path = make(place.path);
  await write(path);
  expect(readFileSync(path, "utf8")).toBe("text");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(path, "..")).filter((name) => name.includes("part"))).toEqual([]);
});

test.each<readonly [string, (place: string) => string, string]>([
  [
    "the directory is missing",
    (place) => join(place, "no/a"),
    "its directory does not exist; create it, or name another",
  ],
  [
    "the directory is a file",
    (place) => (writeFileSync(join(place, "b"), ""), join(place, "b/a")),
    "its directory is no directory",
  ],
  ["it is a directory", (place) => (mkdirSync(join(place, "a")), join(place, "a")), "it is no regular file"],
  ["it is a link", (place) => (symlinkSync("/etc/passwd", join(place, "a")), join(place, "a")), "it is a link"],
  ["it is a FIFO", (place) => (Bun.spawnSync(["mkfifo", join(place, "a")]), join(place, "a")), "it is no regular file"],
  [
    "links lead to themselves",
    (place) => (symlinkSync("b", join(place, "b")), join(place, "b/a")),
    "its links lead back to themselves",
  ],
])("is refused before anything is asked: %s", (_, make, why) => expectRefusal(make, why));

// Making a link another user's takes root.
test.if(process.getuid?.() === 0).each<readonly [string, number, number, number]>([
  ["a shared directory, and it belongs to another user", NOBODY_UID, 0, 0o1777],
  ["a shared directory, where anybody could replace it", 0, 0, 0o777],
  ["another user's directory, and it belongs to that user", NOBODY_UID, NOBODY_UID, 0o755],
  ["another user's directory, where that user could replace it", 0, NOBODY_UID, 0o1755],
])("a link is not followed: in %s", (_, uid, directoryUid, mode) =>
  expectRefusal((place) => {
    mkdirSync(join(place, "shared/b"), { recursive: true });
    symlinkSync("b", join(place, "shared/link"));
    lchownSync(join(place, "shared/link"), uid, uid);
    lchownSync(join(place, "shared"), directoryUid, directoryUid);
    chmodSync(join(place, "shared"), mode);
    return join(place, "shared/link/a");
  }, "another user could change the link link on the way to it"),
);

async function expectRefusal(make: (place: string) => string, why: string): Promise<void> {
  using place = temporaryDirectory();
  const path = make(place.path);
  let asked = false;
  const written = writePrivately(path, ignoreSignals, async () => ((asked = true), ""));
  await expect(written).rejects.toThrow(
    `--output must be a file that can be written, got ${JSON.stringify(path)}: ${why}`,
  );
  expect(asked).toBe(false);
}

test("a link that takes the file's place meanwhile is replaced, and not followed", async () => {
  using place = temporaryDirectory();
  const [path, other] = [join(place.path, "a"), join(place.path, "other")];
  writeFileSync(other, "other");
  await writePrivately(path, ignoreSignals, async () => (symlinkSync(other, path), "text"));
  expect([path, other].map((each) => readFileSync(each, "utf8"))).toEqual(["text", "other"]);
});

test.each<readonly [string, boolean]>([
  ["fails", false],
  ["is ended by a signal", true],
])("nothing stays where what makes the text %s", async (_, isSignal) => {
  using place = temporaryDirectory();
  const undoes: (() => void)[] = [];
  const onInterrupt = (undo: () => void) => (undoes.push(undo), ignoreSignals());
  const made = writePrivately(join(place.path, "a"), onInterrupt, async () => {
    if (isSignal) for (const undo of undoes) undo();
    throw new Error("x");
  });
  await expect(made).rejects.toThrow("x");
  expect(readdirSync(place.path)).toEqual([]);
});

function write(path: string): Promise<string> {
  return writePrivately(path, ignoreSignals, () => Promise.resolve("text"));
}

function ignoreSignals(): Disposable {
  return { [Symbol.dispose]: () => {} };
}
