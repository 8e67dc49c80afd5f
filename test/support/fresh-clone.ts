import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { copyFile } from "node:fs/promises";
import { run } from "../../scripts/run";
import { temporaryDirectory } from "../../scripts/temporary";
import { runToEnd, type Ended } from "./run-to-end";

const ROOT = join(import.meta.dirname, "../..");

/** The tracked files in a folder of their own, and an empty HOME: what a new user has. Dispose of it to remove both. */
export interface FreshClone extends Disposable {
  /**
   * Runs a line as a shell does in the clone.
   *
   * @param env beside the machine's own, with the empty HOME
   */
  run(line: string, env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** Removes what a build wrote. What was installed stays. */
  clean(): void;
}

/** Copies the files as they are in the working tree, so that a change is tested before it is committed. */
export async function freshClone(): Promise<FreshClone> {
  const directory = temporaryDirectory();
  const clone = join(directory.path, "clone");
  const home = join(directory.path, "home");
  mkdirSync(home);
  const files = (
    await run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT })
  ).split("\0");
  const there = await Promise.all(files.map((file) => Bun.file(join(ROOT, file)).exists()));
  for (const file of files.filter((_, index) => there[index])) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    // oxlint-disable-next-line no-await-in-loop -- hundreds of small files, one after the other
    await copyFile(join(ROOT, file), join(clone, file));
  }
  return {
    run: (line, env = {}) => runToEnd(["sh", "-c", line], { HOME: home, XDG_CACHE_HOME: undefined, ...env }, clone),
    clean: () => rmSync(join(clone, "dist"), { recursive: true, force: true }),
    [Symbol.dispose]: directory[Symbol.dispose],
  };
}

/** The lines of a page's shell blocks that begin with `npx`, without their comments. */
export function commandsOf(page: string): readonly string[] {
  const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block ?? "");
  const lines = blocks.flatMap((block) => block.split("\n"));
  return lines.filter((line) => line.startsWith("npx ")).map((line) => line.replace(/\s+#.*$/, ""));
}
