import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where promtool is: in PATH, or taken out of Debian's package `prometheus` into a cache outside the tree. The package is
 * downloaded with CI=true alone, and not installed, for that would start a server and take root.
 *
 * Where there is none it says so in one line and returns undefined.
 *
 * @throws with CI=true, where it cannot be had
 */
export async function findPromtool(): Promise<string | undefined> {
  const cached = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "csi-livenessprobe/promtool");
  const found = Bun.which("promtool") ?? (existsSync(cached) ? cached : undefined);
  if (found !== undefined) return found;
  if (process.env["CI"] === "true") return downloadTo(cached);
  console.warn("The tests with promtool are skipped: it is not in PATH (Debian package prometheus).");
  return undefined;
}

async function downloadTo(path: string): Promise<string> {
  const parent = join(path, "..");
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, ".downloading-"));
  try {
    // Package lists are refreshed only where there are none that will do: it takes root.
    if (!(await succeeds(["apt-get", "download", "prometheus"], directory))) {
      await run(["apt-get", "update"], directory);
      await run(["apt-get", "download", "prometheus"], directory);
    }
    const archive = readdirSync(directory).find((name) => name.endsWith(".deb")) ?? "";
    await run(["dpkg-deb", "--extract", archive, "."], directory);
    renameSync(join(directory, "usr/bin/promtool"), path);
    return path;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function succeeds(command: string[], cwd: string): Promise<boolean> {
  try {
    await run(command, cwd);
    return true;
  } catch {
    return false;
  }
}

async function run(command: string[], cwd: string): Promise<void> {
  const child = Bun.spawn(command, { cwd, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [code, stderr] = await Promise.all([child.exited, child.stderr.text()]);
  if (code !== 0)
    throw new Error(`${command.join(" ")} exited with ${code}, so there is no promtool: ${stderr.trim()}`);
}
