import { basename } from "node:path";
import { containerIdsOf, parseCgroups } from "./cgroups";
import { parseProcessStat } from "./process-state";
import { listPids, readArgv, readUids } from "./proc-files";
import { readLink, readText, valueOf } from "../node/reads";

/**
 * Names of executables that are a kubelet or have one inside: the kubelet itself, also that of k0s and RKE2; k3s; MicroK8s;
 * and the one for all of Kubernetes before 1.19.
 */
const EXECUTABLES: ReadonlySet<string> = new Set([
  "kubelet",
  "k3s",
  "k3s-server",
  "k3s-agent",
  "kubelite",
  "hyperkube",
]);

/** How long a kubelet's command line may take to be read, in milliseconds. */
const READ_TIMEOUT_MS = 500;

/**
 * Looks for running kubelets and what their `--root-dir` says, each once: absolute paths, as the kubelet sees them.
 * Configuration files cannot set it, so none is read. Never rejects.
 */
export async function findRunningRootDirs(procDir: string): Promise<readonly string[]> {
  const pids = listPids(procDir).filter((pid) => isKubelet(procDir, pid));
  const argvs = await Promise.all(pids.map((pid) => readArgv(procDir, pid, READ_TIMEOUT_MS)));
  const rootDirs = argvs.flatMap((argv) => rootDirOf(valueOf(argv) ?? []) ?? []);
  return [...new Set(rootDirs)];
}

/**
 * Whether the processes to be seen are the node's, rather than those of one container: the kernel's own second thread is among
 * them, which only the first pid namespace has, or a kubelet, where the node is a container itself.
 */
export function seesNodeProcesses(procDir: string): boolean {
  if (parseProcessStat(valueOf(readText(`${procDir}/2/stat`)) ?? "")?.isKernelThread === true) return true;
  return listPids(procDir).some((pid) => isKubelet(procDir, pid));
}

/**
 * The `--root-dir` of a kubelet's arguments: `--root-dir=X`, `--root-dir X`, or as k3s passes it on, `--kubelet-arg=root-dir=X`.
 * The last one counts. A relative one hangs on the kubelet's working directory, and is not told.
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

// A kubelet's word leads this process to directories, so it has to be one: what any process may call itself (`comm`, its
// arguments) does not count, and a process in a pod is none, whatever its uid there.
function isKubelet(procDir: string, pid: number): boolean {
  const executable = valueOf(readLink(`${procDir}/${pid}/exe`)) ?? "";
  // The kernel adds the words where the file was replaced while it runs.
  if (!EXECUTABLES.has(basename(executable.replace(/ \(deleted\)$/, "")))) return false;
  if (readUids(procDir, pid)?.all.every((uid) => uid === 0) !== true) return false;
  return containerIdsOf(parseCgroups(valueOf(readText(`${procDir}/${pid}/cgroup`)) ?? "")).podUid === undefined;
}
