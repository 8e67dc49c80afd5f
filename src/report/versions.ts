import { open } from "node:fs/promises";
import { arch, release } from "node:os";
import { readLink, valueOf } from "../base/reads";
import type { NodeView } from "../inspection/node-view";
import { findRunningKubelets, type RunningKubelet } from "../processes/running-kubelets";
import { COMMIT, VERSION } from "../version";
import { readNodeFile } from "./files";

export interface Versions {
  readonly livenessprobe: { readonly version: string; readonly commit: string };
  readonly kernel: string;
  readonly architecture: string;
  /** `PRETTY_NAME` of os-release(5). */
  readonly os: string | undefined;
  readonly kubelets: readonly Kubelet[];
  readonly containerRuntimes: readonly ContainerRuntime[];
}

export interface Kubelet {
  readonly pid: number;
  readonly executable: string | undefined;
  readonly version: string | undefined;
}

/** A socket of a container runtime. */
export interface ContainerRuntime {
  readonly socket: string;
  /** Who names it: a kubelet's flag, its configuration file, or the list of the usual paths, of which those that exist count. */
  readonly origin: "flag" | "config" | "known";
}

const SMALL_FILE_BYTES = 65_536;

/** Never rejects. */
export async function readVersions({ root, procDir }: Pick<NodeView, "root" | "procDir">): Promise<Versions> {
  const running = await findRunningKubelets(procDir);
  const osRelease = ["/etc/os-release", "/usr/lib/os-release"].flatMap(
    (path) => valueOf(readNodeFile(root, path, SMALL_FILE_BYTES)) ?? [],
  )[0];
  return {
    livenessprobe: { version: VERSION, commit: COMMIT },
    kernel: release(),
    architecture: arch(),
    os: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease ?? "")?.[1],
    kubelets: await Promise.all(running.map((kubelet) => readKubelet(procDir, kubelet))),
    containerRuntimes: findContainerRuntimes(root, running),
  };
}

async function readKubelet(procDir: string, { pid }: RunningKubelet): Promise<Kubelet> {
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
 * The version of Kubernetes that an executable was linked with: Go's linker ends a string with NUL where `-X` sets it, and no other
 * string. Undefined where there is none, or more than one, or where it cannot be read in time.
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

/** The usual sockets: containerd, CRI-O, cri-dockerd, k3s and RKE2, k0s, MicroK8s. */
const KNOWN_SOCKETS = [
  "/run/containerd/containerd.sock",
  "/run/crio/crio.sock",
  "/run/cri-dockerd.sock",
  "/run/k3s/containerd/containerd.sock",
  "/run/k0s/containerd.sock",
  "/var/snap/microk8s/common/run/containerd.sock",
] as const;

function findContainerRuntimes(
  root: NodeView["root"],
  kubelets: readonly RunningKubelet[],
): readonly ContainerRuntime[] {
  const flags = kubelets.flatMap(({ argv }) => flagOf(argv, "container-runtime-endpoint") ?? []);
  const files = new Set([
    ...kubelets.flatMap(({ argv }) => flagOf(argv, "config") ?? []),
    "/var/lib/kubelet/config.yaml",
  ]);
  const configured = [...files].flatMap((path) => {
    const text = valueOf(readNodeFile(root, path, SMALL_FILE_BYTES)) ?? "";
    return /^containerRuntimeEndpoint:\s*["']?([^\s"'#]+)/m.exec(text)?.[1] ?? [];
  });
  const known = KNOWN_SOCKETS.filter((path) => {
    const found = root.resolve(path);
    return found.kind === "found" && found.file.type === "socket";
  });
  const all = [
    ...flags.map((socket) => ({ socket, origin: "flag" as const })),
    ...configured.map((socket) => ({ socket, origin: "config" as const })),
    ...known.map((socket) => ({ socket, origin: "known" as const })),
  ].map(({ socket, origin }) => ({ socket: socket.replace(/^unix:\/\//, ""), origin }));
  // Of two that name a socket, the first is whom the kubelet goes by.
  return all.filter(({ socket }, index) => all.findIndex((each) => each.socket === socket) === index);
}

/** The last value of a flag in Go's forms, `-flag=value`, `--flag=value` and `--flag value`; none of a list of flags. */
function flagOf(argv: readonly string[], name: string): string | undefined {
  const values = argv.flatMap((word, index) => {
    const [, flag, inline] = /^--?([a-z-]+)(?:=(.*))?$/.exec(word) ?? [];
    return flag === name ? [inline ?? argv[index + 1] ?? ""] : [];
  });
  return values.findLast((value) => value !== "");
}
