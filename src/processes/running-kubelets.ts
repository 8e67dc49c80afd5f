import { basename } from "node:path";
import { containerIdsOf, readCgroups } from "./cgroups";
import { readProcessStat } from "./process-state";
import { listPids, readArgv, readUids } from "./proc-files";
import { readLink, readText, valueOf } from "../base/reads";

/** Executables that are or contain a kubelet: also of k0s and RKE2; k3s; MicroK8s; all of Kubernetes before 1.19. */
const EXECUTABLES: ReadonlySet<string> = new Set([
  "kubelet",
  "k3s",
  "k3s-server",
  "k3s-agent",
  "kubelite",
  "hyperkube",
]);

/** For a kubelet's command line, in milliseconds. */
const READ_TIMEOUT_MS = 500;

export interface RunningKubelet {
  readonly pid: number;
  /** Empty where they cannot be read in time. */
  readonly argv: readonly string[];
}

/** Finds the running kubelets. Never rejects. */
export function findRunningKubelets(procDir: string): Promise<readonly RunningKubelet[]> {
  const pids = listPids(procDir).filter((pid) => isKubelet(procDir, pid));
  return Promise.all(pids.map(async (pid) => ({ pid, argv: await readArgv(procDir, pid, READ_TIMEOUT_MS) })));
}

/**
 * Finds the `--root-dir` of each running kubelet, each once: absolute paths, as the kubelet sees them. A configuration
 * file cannot set it. Never rejects.
 */
export async function findRunningRootDirs(procDir: string): Promise<readonly string[]> {
  const rootDirs = (await findRunningKubelets(procDir)).flatMap(({ argv }) => rootDirOf(argv) ?? []);
  return [...new Set(rootDirs)];
}

/**
 * Whether the processes of the node can be seen, not of one container only: there is the kernel's second thread or, if
 * the node is itself a container, a kubelet. `denied` if there is a process with a kubelet's name, and we may not see
 * its executable.
 */
export function seesNodeProcesses(procDir: string): "yes" | "no" | "denied" {
  if (readProcessStat(`${procDir}/2`)?.isKernelThread === true) return "yes";
  const pids = listPids(procDir);
  if (pids.some((pid) => isKubelet(procDir, pid))) return "yes";
  return pids.some((pid) => isHiddenKubelet(procDir, pid)) ? "denied" : "no";
}

/**
 * The last `--root-dir` in a kubelet's arguments: `--root-dir=X`, `--root-dir X`, or for k3s
 * `--kubelet-arg=root-dir=X`. Relative paths are ignored.
 */
export function rootDirOf(argv: readonly string[]): string | undefined {
  const words = argv.flatMap((word) => word.split(/^(--?[a-z-]+)=/).filter((part) => part !== ""));
  return words
    .flatMap((word, index) => rootDirValue(word, words[index + 1]))
    .filter((value) => value.startsWith("/"))
    .at(-1);
}

function rootDirValue(flag: string, value = ""): readonly string[] {
  if (/^--?root-dir$/.test(flag)) return [value];
  if (/^--?kubelet-arg$/.test(flag)) return [value.replace(/^(--)?root-dir=/, "")].filter((rest) => rest !== value);
  return [];
}

// A kubelet's arguments decide where we look, so its name (`comm`, arguments) is no proof, and a process in a pod is
// none.
function isKubelet(procDir: string, pid: number): boolean {
  const executable = valueOf(readLink(`${procDir}/${pid}/exe`)) ?? "";
  // The kernel adds the word if the file was replaced since.
  if (!EXECUTABLES.has(basename(executable.replace(/ \(deleted\)$/, "")))) return false;
  if (readUids(procDir, pid)?.every((uid) => uid === 0) !== true) return false;
  return containerIdsOf(readCgroups(`${procDir}/${pid}`)).podUid === undefined;
}

// Only for advice: any process can take the name.
function isHiddenKubelet(procDir: string, pid: number): boolean {
  if (!EXECUTABLES.has(readText(`${procDir}/${pid}/comm`).trimEnd())) return false;
  return readLink(`${procDir}/${pid}/exe`).kind === "notPermitted";
}
