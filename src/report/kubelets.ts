import { open } from "node:fs/promises";
import { readLink, valueOf } from "../base/reads";
import type { NodeView } from "../inspection/node-view";
import { createFileFinder } from "../processes/proc-files";
import { findRunningKubelets, type RunningKubelet } from "../processes/running-kubelets";

export interface Kubelet {
  readonly pid: number;
  readonly executable: string | undefined;
  readonly version: string | undefined;
}

/**
 * The running kubelets of a node: those that see one of its kubelets' directories, since `--root` may lead to another
 * node's files. Never rejects.
 */
export async function findKubeletsOf({
  root,
  procDir,
  kubelets,
}: Pick<NodeView, "root" | "procDir" | "kubelets">): Promise<readonly RunningKubelet[]> {
  const directories = kubelets.roots.flatMap(({ realPath }) => {
    const found = root.resolve(realPath);
    return found.kind === "found" ? [{ realPath, fileId: found.file.fileId }] : [];
  });
  return (await findRunningKubelets(procDir)).filter(({ pid }) => {
    const find = createFileFinder(procDir, pid);
    return directories.some(({ realPath, fileId }) => {
      const found = find(realPath);
      return found?.kind === "found" && found.fileId === fileId;
    });
  });
}

/** Never rejects. */
export async function describeKubelet(procDir: string, { pid }: RunningKubelet): Promise<Kubelet> {
  const link = `${procDir}/${pid}/exe`;
  return { pid, executable: valueOf(readLink(link)), version: await readKubernetesVersion(link) };
}

/** For a whole executable of a kubelet, in milliseconds: its disk may hang. */
const EXECUTABLE_TIMEOUT_MS = 3_000;
/** How much of it is in memory at once: it has 80 MiB. */
const PIECE_BYTES = 1_048_576;
/** More than a version takes, so that one between two pieces is found. */
const OVERLAP_BYTES = 128;

/**
 * The version of Kubernetes that an executable was linked with: Go's linker ends a string with NUL where `-X` sets it,
 * and no other string. Undefined where there is none, or more than one, or where it cannot be read in time.
 */
export async function readKubernetesVersion(executable: string): Promise<string | undefined> {
  const found = new Set<string>();
  const late = AbortSignal.timeout(EXECUTABLE_TIMEOUT_MS);
  const reading = (async () => {
    await using file = await open(executable);
    const buffer = Buffer.alloc(OVERLAP_BYTES + PIECE_BYTES);
    for (let bytesRead = -1; bytesRead !== 0 && !late.aborted;) {
      // oxlint-disable-next-line no-await-in-loop -- a piece after the other
      ({ bytesRead } = await file.read(buffer, OVERLAP_BYTES, PIECE_BYTES));
      for (const version of versionsIn(buffer.subarray(0, OVERLAP_BYTES + bytesRead))) found.add(version);
      buffer.copyWithin(0, bytesRead, OVERLAP_BYTES + bytesRead);
    }
    return true;
  })().catch(() => false);
  const isRead = await Promise.race([reading, Bun.sleep(EXECUTABLE_TIMEOUT_MS).then(() => false)]);
  const [version, ...others] = found;
  return isRead && others.length === 0 ? version : undefined;
}

function* versionsIn(bytes: Buffer): Generator<string> {
  for (let at = bytes.indexOf(VERSION_BEGIN); at !== -1; at = bytes.indexOf(VERSION_BEGIN, at + 1)) {
    const text = bytes.toString("latin1", at + 1, at + OVERLAP_BYTES);
    const [version] = /^v1\.\d+\.\d+[-+.\w]*(?=\0)/.exec(text) ?? [];
    if (version !== undefined) yield version;
  }
}

const VERSION_BEGIN = "\0v1.";
