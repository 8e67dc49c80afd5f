import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/**
 * Clones HEAD, with the changes of the working tree as a commit on top.
 *
 * @param clone where it goes
 * @returns the hash of that commit
 */
export function cloneWorkingTree(clone: string): string {
  git(["clone", "--quiet", ROOT, clone]);
  const there = new Set(git(["-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).split("\0"));
  for (const file of there) {
    if (file === "") continue;
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    if (existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(clone, file));
    else rmSync(join(clone, file), { force: true });
  }
  const inClone = ["-C", clone, "-c", "user.name=test", "-c", "user.email=test@example.invalid"];
  git([...inClone, "add", "--all"]);
  git([...inClone, "commit", "--quiet", "--allow-empty", "--message", "The working tree"]);
  return git([...inClone, "rev-parse", "HEAD"]).trim();
}

function git(args: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["git", ...args]);
  if (exitCode !== 0) throw new Error(`git ${args.join(" ")} ended with ${exitCode}: ${stderr.toString()}`);
  return stdout.toString();
}
