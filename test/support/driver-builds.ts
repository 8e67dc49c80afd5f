import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "../../scripts/cache";
import { type Program, run } from "../../scripts/run";

/** How to start a program, before its own arguments; or why it cannot be built here. */
export type DriverBuild =
  { readonly kind: "built"; readonly program: Program } | { readonly kind: "missing"; readonly why: string };

/**
 * The program of a build; undefined, and a line that says why, where it cannot be built here.
 *
 * @param what what its tests are of, such as "the go driver"
 * @throws with CI=true, where it cannot be built
 */
export function usableProgram(what: string, built: DriverBuild): Program | undefined {
  switch (built.kind) {
    case "built":
      return built.program;
    case "missing": {
      const line = `The tests of ${what} are skipped: ${built.why}.`;
      if (process.env["CI"] === "true") throw new Error(`${line} With CI=true none may be.`);
      console.warn(line);
      return undefined;
    }
  }
  return built satisfies never;
}

const DRIVERS = join(import.meta.dirname, "../drivers");

/**
 * Builds test/drivers/go, or takes what was built from the same sources before.
 *
 * @param env set while building
 * @throws where there is a Go that cannot build it
 */
export async function buildGoDriver(env: Readonly<Record<string, string>> = {}): Promise<DriverBuild> {
  return buildGoProgram(join(DRIVERS, "go"), "driver", [], env);
}

/**
 * Builds bench/baseline, a Go sidecar in one static file, or takes what was built from the same sources before.
 *
 * @param architecture as Go names it; by default this machine's
 * @throws where there is a Go that cannot build it
 */
export async function buildGoSidecar(architecture?: "amd64" | "arm64"): Promise<DriverBuild> {
  const env = { CGO_ENABLED: "0", ...(architecture === undefined ? {} : { GOARCH: architecture }) };
  return buildGoProgram(join(import.meta.dirname, "../../bench/baseline"), "baseline", ["-ldflags", "-s -w"], env);
}

/**
 * Builds a Go module of one folder, or takes what was built from the same sources in the same way before.
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

  const files = readdirSync(source).filter((file) => /\.go$|^go\.(?:mod|sum)$/.test(file));
  const inputs = files.toSorted().map((file) => readFileSync(join(source, file), "utf8"));
  const version = await run([go, "version"], { cwd: source });
  const binary = await cached([version, ...inputs, ...flags, JSON.stringify(env)], name, (path) =>
    run([go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", ...flags, "-o", path, "."], {
      cwd: source,
      env,
    }),
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
    run([...install, ...pinned, "--target", path], { cwd: source }),
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
    const [python = "", version = ""] = (await run([python3, "-c", script])).split("\n");
    return /^3\.1[123]\./.test(version) ? { python, version } : undefined;
  } catch {
    return undefined;
  }
}
