import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";
import { usable } from "./usable";
import { waitUntil } from "./wait";

/** A mount that tells of everything that is asked of it, and fails it. */
export interface TellingMount extends AsyncDisposable {
  /** The requests so far, such as `GETATTR` or `STATX` for a stat(2) of the mount point. */
  requests(): readonly string[];
}

const PYTHON = Bun.which("python3", { PATH: "/usr/local/bin:/usr/bin:/bin" }) ?? "python3";
const SCRIPT = join(import.meta.dir, "made-node-mount.py");

/**
 * Whether this machine lets us mount, FUSE included; says so in a line where it does not.
 *
 * @throws with CI=true, where it does not
 */
export function mayMount(what: string): boolean {
  const attempt = `d=$(mktemp -d) && mount --bind "$d" "$d" && umount "$d" && rmdir "$d" && test -w /dev/fuse`;
  return usable(what, ["sh", "-c", attempt]);
}

/**
 * Bind-mounts a file system on an existing directory as a dead volume is mounted there: nothing may ask anything of it.
 *
 * It is a FUSE file system with nothing cached, for inotify sees no stat(2), and one that does not answer at all would
 * hang the test that touches it. Once disposed of, it is unmounted.
 */
export async function mountTelling(directory: string): Promise<TellingMount> {
  const place = temporaryDirectory();
  const source = join(place.path, "fs");
  const log = join(place.path, "log");
  mkdirSync(source);
  const server = Bun.spawn([PYTHON, SCRIPT, source], { stdout: Bun.file(log), stderr: "inherit" });
  const lines = () => readFileSync(log, "utf8").split("\n").slice(0, -1);
  await waitUntil(() => server.exitCode !== null || lines().includes("mounted"), "a mount");
  if (server.exitCode !== null) throw new Error(`no file system could be mounted: exit code ${server.exitCode}`);
  run("mount", "--bind", source, directory);
  const before = lines().length;
  return {
    requests: () => lines().slice(before),
    [Symbol.asyncDispose]: async () => {
      run("umount", directory);
      run("umount", source);
      await server.exited;
      place[Symbol.dispose]();
    },
  };
}

/** Runs a command to its end. Throws what it wrote to standard error, where it fails. */
export function run(...command: readonly [string, ...string[]]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command], { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString().trim()}`);
}
