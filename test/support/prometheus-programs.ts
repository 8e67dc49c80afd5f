import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export type PrometheusProgram = "prometheus" | "promtool";

export const findPromtool = (): Promise<string | undefined> => findProgram("promtool");

/**
 * Where a program of Prometheus is, which is downloaded with CI=true alone. Where there is none it says so in one line
 * and returns undefined.
 *
 * @throws with CI=true, where it cannot be had
 */
export async function findProgram(name: PrometheusProgram): Promise<string | undefined> {
  if (process.env["CI"] === "true") return needProgram(name);
  const { found } = lookFor(name);
  if (found !== undefined) return found;
  console.warn(`The tests with ${name} are skipped: it is not in PATH (Debian package prometheus).`);
  return undefined;
}

/**
 * Where a program of Prometheus is: in PATH, or taken out of Debian's package `prometheus` into a cache outside the
 * tree. The package is not installed, for that would start a server and take root.
 *
 * @throws where it cannot be had
 */
export async function needProgram(name: PrometheusProgram): Promise<string> {
  const { found, cached } = lookFor(name);
  return found ?? downloadTo(cached, name);
}

function lookFor(name: PrometheusProgram): { readonly found: string | undefined; readonly cached: string } {
  const cached = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), `csi-livenessprobe/${name}`);
  return { found: Bun.which(name) ?? (existsSync(cached) ? cached : undefined), cached };
}

async function downloadTo(path: string, name: PrometheusProgram): Promise<string> {
  const parent = join(path, "..");
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, ".downloading-"));
  try {
    // Package lists are refreshed only where there are none that will do: it takes root.
    if (!(await succeeds(["apt-get", "download", "prometheus"], directory))) {
      await run(["apt-get", "update"], directory);
      await run(["apt-get", "download", "prometheus"], directory);
    }
    const archive = readdirSync(directory).find((file) => file.endsWith(".deb")) ?? "";
    await run(["dpkg-deb", "--extract", archive, "."], directory);
    renameSync(join(directory, "usr/bin", name), path);
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
    throw new Error(`${command.join(" ")} exited with ${code}, so there is no Prometheus: ${stderr.trim()}`);
}
