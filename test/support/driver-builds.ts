import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

/** How to start a driver: words before `--socket`, and variables beside the inherited ones. */
export interface DriverProgram {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export type DriverBuild =
  { readonly kind: "built"; readonly program: DriverProgram } | { readonly kind: "missing"; readonly why: string };

const DRIVERS = join(import.meta.dirname, "../drivers");

/**
 * Builds test/drivers/go, or takes what was built from the same sources before.
 *
 * @throws where there is a Go that cannot build it
 */
export async function buildGoDriver(): Promise<DriverBuild> {
  return buildGoProgram(join(DRIVERS, "go"), "driver");
}

/**
 * Builds a Go module of one file, `main.go`, or takes what was built from the same sources in the same way before.
 *
 * @param source the module's directory
 * @param env set while building
 * @throws where there is a Go that cannot build it
 */
export async function buildGoProgram(
  source: string,
  name: string,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<DriverBuild> {
  const go = Bun.which("go");
  if (go === null) return { kind: "missing", why: "go is not in PATH" };

  const inputs = ["main.go", "go.mod", "go.sum"].map((file) => readFileSync(join(source, file), "utf8"));
  const version = await run([go, "version"], source);
  const binary = await cached([version, ...inputs, ...flags, JSON.stringify(env)], name, (path) =>
    run([go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", ...flags, "-o", path, "."], source, env),
  );
  return { kind: "built", program: { command: [binary], env: {} } };
}

/**
 * Installs what test/drivers/python needs, or takes what was installed from the same list before.
 * A plain folder rather than a virtual environment: only a folder can be moved into its place in one step.
 *
 * @throws where there is a fitting Python whose pip cannot install it
 */
export async function buildPythonDriver(): Promise<DriverBuild> {
  const source = join(DRIVERS, "python");
  const requirements = join(source, "requirements.txt");
  const found = await findPython();
  if (found === undefined) return { kind: "missing", why: "no python3 from 3.11 to 3.13 with pip is in PATH" };

  const install = [found.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"];
  const pinned = ["--require-hashes", "--only-binary", ":all:", "-r", requirements];
  const packages = await cached([found.version, readFileSync(requirements, "utf8")], "packages", (path) =>
    run([...install, ...pinned, "--target", path], source),
  );
  const env = { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1" };
  return { kind: "built", program: { command: [found.python, join(source, "driver.py")], env } };
}

/** The interpreter itself, since a version manager's `python3` is a slow script around it. */
async function findPython(): Promise<{ readonly python: string; readonly version: string } | undefined> {
  const python3 = Bun.which("python3");
  if (python3 === null) return undefined;
  const script = "import pip, sys; print(sys.executable, sys.version.replace('\\n', ' '), sep='\\n')";
  try {
    const [python = "", version = ""] = (await run([python3, "-c", script], DRIVERS)).split("\n");
    return /^3\.1[123]\./.test(version) ? { python, version } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What `build` makes of these inputs, made once for all runs and kept outside the tree.
 * It appears under its name in one step, so a run that is cut short or that runs beside another never leaves half of it.
 */
async function cached(inputs: readonly string[], name: string, build: (path: string) => Promise<unknown>) {
  const hash = createHash("sha256")
    .update(JSON.stringify([process.platform, process.arch, ...inputs]))
    .digest("hex");
  const final = join(cacheRoot(), hash.slice(0, 16), name);
  if (existsSync(final)) return final;

  mkdirSync(dirname(final), { recursive: true });
  const temporary = mkdtempSync(join(dirname(final), ".building-"));
  try {
    await build(join(temporary, name));
    renameSync(join(temporary, name), final);
  } catch (error) {
    // Another run may have come first: a folder is not renamed onto a folder.
    if (!existsSync(final)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return final;
}

function cacheRoot(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "csi-livenessprobe");
}

async function run(command: string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = Bun.spawn(command, {
    cwd,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  if (code !== 0) throw new Error(`${basename(command[0] ?? "")} in ${cwd} exited with ${code}: ${stderr.trim()}`);
  return stdout.trim();
}
