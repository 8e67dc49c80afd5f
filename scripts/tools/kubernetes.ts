import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cachePath, cached } from "../cache";
import { progress } from "../command";
import { run } from "../run";

const SOURCE = join(import.meta.dirname, "kubernetes");
const PROGRAMS = ["kubelet", "kube-apiserver", "kubectl"] as const;

/**
 * The folder of kubelet, kube-apiserver and kubectl, built on first use from the Go module k8s.io/kubernetes.
 *
 * @throws where Go 1.26 is missing, or a hash in go.sum differs
 */
export async function kubernetes(): Promise<string> {
  const [version, module, sums] = await inputs();
  const release = releaseOf(module);
  return cached([version, module, sums], "kubernetes", (path) => {
    progress(`Building Kubernetes ${release} with Go, once; this takes 6 minutes on two cores`);
    const set = { gitVersion: release, gitMajor: "1", gitMinor: release.split(".")[1] };
    const variables = Object.entries(set).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
    const flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", `-ldflags=-s -w ${variables.join(" ")}`];
    const packages = PROGRAMS.map((program) => `k8s.io/kubernetes/cmd/${program}`);
    return run(["go", "build", ...flags, "-o", `${path}/`, ...packages], { cwd: SOURCE, env: { CGO_ENABLED: "0" } });
  });
}

/** Whether `kubernetes` would build nothing. */
export async function isKubernetesBuilt(): Promise<boolean> {
  return Bun.which("go") !== null && existsSync(cachePath(await inputs(), "kubernetes"));
}

async function inputs(): Promise<readonly [version: string, module: string, sums: string]> {
  if (Bun.which("go") === null) throw new Error("go is not in PATH, and Kubernetes needs it: install Go 1.26");
  const read = (file: string) => readFileSync(join(SOURCE, file), "utf8");
  return [await run(["go", "version"], { cwd: SOURCE }), read("go.mod"), read("go.sum")];
}

function releaseOf(module: string): string {
  const version = /k8s\.io\/kubernetes (v\S+)/.exec(module)?.[1];
  if (version === undefined) throw new Error(`${SOURCE}/go.mod requires no k8s.io/kubernetes`);
  return version;
}
