import { arch, release } from "node:os";
import { valueOf } from "../base/reads";
import type { NodeView } from "../inspection/node-view";
import type { RunningKubelet } from "../processes/running-kubelets";
import { COMMIT, VERSION } from "../version";
import { readNodeFile } from "./files";
import { describeKubelet, type Kubelet } from "./kubelets";

export interface Versions {
  readonly livenessprobe: { readonly version: string; readonly commit: string };
  readonly kernel: string;
  readonly architecture: string;
  /** `PRETTY_NAME` of os-release(5). */
  readonly os: string | undefined;
  readonly kubelets: readonly Kubelet[];
  readonly containerRuntimes: readonly ContainerRuntime[];
}

/** A socket of a container runtime. */
export interface ContainerRuntime {
  readonly socket: string;
  /** Who names it: a kubelet's flag, its configuration file, or the list of the usual paths, of which those that exist count. */
  readonly origin: "flag" | "config" | "known";
}

const SMALL_FILE_BYTES = 65_536;

/** Never rejects. */
export async function readVersions(
  { root, procDir }: Pick<NodeView, "root" | "procDir">,
  running: readonly RunningKubelet[],
): Promise<Versions> {
  const osRelease = ["/etc/os-release", "/usr/lib/os-release"].flatMap(
    (path) => valueOf(readNodeFile(root, path, SMALL_FILE_BYTES)) ?? [],
  )[0];
  return {
    livenessprobe: { version: VERSION, commit: COMMIT },
    kernel: release(),
    architecture: arch(),
    os: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease ?? "")?.[1],
    kubelets: await Promise.all(running.map((kubelet) => describeKubelet(procDir, kubelet))),
    containerRuntimes: findContainerRuntimes(root, running),
  };
}

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
