import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../scripts/run";
import { runSidecar } from "../support/sidecar";
import { temporaryDirectory } from "../../scripts/temporary";
import { usable } from "../support/usable";

test("what is installed starts as it says, and can install itself again", async () => {
  using directory = temporaryDirectory();
  const [first, second] = ["first", "second"].map((name) => join(directory.path, name));
  const { code, stdout, stderr } = await runSidecar(["install", first ?? ""]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const start = stdout.trim().split(" ");
  expect(await run([...start, "--version"])).toStartWith("livenessprobe ");
  expect(readFileSync(join(first ?? "", "README.txt"), "utf8")).toContain(`${start.join(" ")} list`);
  expect(readdirSync(first ?? "").toSorted()).toEqual(["README.txt", "lib", "livenessprobe"]);

  const again = await run([...start, "install", second ?? ""]);
  expect(await run([...again.split(" "), "--version"])).toStartWith("livenessprobe ");
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
  ["no directory", [], "install takes a directory: livenessprobe install DEST"],
  ["a relative one", ["tool"], 'DEST must be an absolute path, got "tool"'],
  [
    "one that cannot be written to",
    ["/proc/tool"],
    "cannot install into /proc/tool: ENOENT; is it a directory that we may write to, with 120 MB to spare?",
  ],
])("%s is refused in a line, exit code 1", async (_, words, line) => {
  expect(await runSidecar(["install", ...words])).toMatchObject({ code: 1, stdout: "", stderr: `${line}\n` });
});
