import { listPids, readArgv } from "./proc-files";
import { readText, valueOf } from "./reads";

/** The kubelet's process names, and those of programs that have one inside: k3s, microk8s, and the old one for all. */
const NAMES: ReadonlySet<string> = new Set(["kubelet", "k3s", "k3s-server", "k3s-agent", "kubelite", "hyperkube"]);

/** How long a kubelet's command line may take to be read, in milliseconds. */
const READ_TIMEOUT_MS = 500;

export interface RunningKubelets {
  /** What `--root-dir` says, each once: absolute paths, as the kubelet sees them. */
  readonly rootDirs: readonly string[];
  /** Kubelets that were seen, with or without that flag. */
  readonly pids: readonly number[];
}

/** Looks for running kubelets and their `--root-dir`. Configuration files cannot set it, so none is read. Never rejects. */
export async function findRunningKubelets(procDir: string): Promise<RunningKubelets> {
  const pids = listPids(procDir).filter((pid) => isKubelet(procDir, pid));
  const argvs = await Promise.all(pids.map((pid) => readArgv(procDir, pid, READ_TIMEOUT_MS)));
  const rootDirs = argvs.flatMap((argv) => rootDirOf(valueOf(argv) ?? []) ?? []);
  return { rootDirs: [...new Set(rootDirs)], pids };
}

/**
 * Whether the processes to be seen are the node's, rather than those of one container: the kernel's own second thread is among
 * them, which only the first pid namespace has, or a kubelet, where the node is a container itself.
 */
export function seesNodeProcesses(procDir: string): boolean {
  if (valueOf(readText(`${procDir}/2/comm`)) === "kthreadd\n") return true;
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

function isKubelet(procDir: string, pid: number): boolean {
  return NAMES.has(valueOf(readText(`${procDir}/${pid}/comm`))?.trim() ?? "");
}
