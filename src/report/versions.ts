import { arch, release } from "node:os";
import type { NodeView } from "../inspection/node-view";
import type { RunningKubelet } from "../processes/running-kubelets";
import { COMMIT, VERSION } from "../version";
import { readNodeFiles } from "./files";
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
  /**
   * Who names it: a kubelet's flag, its configuration file, or the list of the usual paths, of which those that exist
   * count.
   */
  readonly origin: "flag" | "config" | "known";
}

/** What is known of versions, and what could not be read, in sentences. Never rejects. */
export async function readVersions(
  { root, procDir }: Pick<NodeView, "root" | "procDir">,
  running: readonly RunningKubelet[],
): Promise<{ readonly versions: Versions; readonly notes: readonly string[] }> {
  const osRelease = readNodeFiles(root, ["/etc/os-release", "/usr/lib/os-release"]);
  const kubelets = await Promise.all(running.map((kubelet) => describeKubelet(procDir, kubelet)));
  const { containerRuntimes, notes } = findContainerRuntimes(root, running);
  const unknown = kubelets.filter(({ version }) => version === undefined);
  return {
    versions: {
      livenessprobe: { version: VERSION, commit: COMMIT },
      kernel: release(),
      architecture: arch(),
      os: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease.texts[0] ?? "")?.[1],
      kubelets,
      containerRuntimes,
    },
    notes: [
      ...osRelease.notes,
      ...unknown.map(
        ({ pid }) => `the executable of the kubelet, pid ${pid}, does not tell its version, or cannot be read`,
      ),
      ...notes,
    ],
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

function findContainerRuntimes(root: NodeView["root"], kubelets: readonly RunningKubelet[]) {
  const flags = kubelets.flatMap(({ argv }) => flagOf(argv, "container-runtime-endpoint") ?? []);
  const files = [...kubelets.flatMap(({ argv }) => flagOf(argv, "config") ?? []), "/var/lib/kubelet/config.yaml"];
  const { texts, notes } = readNodeFiles(root, [...new Set(files)]);
  const configured = texts.flatMap((text) => /^containerRuntimeEndpoint:\s*["']?([^\s"'#]+)/m.exec(text)?.[1] ?? []);
  const known = KNOWN_SOCKETS.filter((path) => {
    const found = root.resolve(path);
    return found.kind === "found" && found.file.type === "socket";
  });
  const all = [
    ...flags.map((socket) => ({ socket, origin: "flag" as const })),
    ...configured.map((socket) => ({ socket, origin: "config" as const })),
    ...known.map((socket) => ({ socket, origin: "known" as const })),
  ].map(({ socket, origin }): ContainerRuntime => ({ socket: socket.replace(/^unix:\/\//, ""), origin }));
  // Of two that name a socket, the first is whom the kubelet goes by.
  const containerRuntimes = all.filter(
    ({ socket }, index) => all.findIndex((each) => each.socket === socket) === index,
  );
  return { containerRuntimes, notes };
}

/**
 * The last value of a flag in Go's forms, `-flag=value`, `--flag=value` and `--flag value`; none of a list of flags.
 */
function flagOf(argv: readonly string[], name: string): string | undefined {
  const values = argv.flatMap((word, index) => {
    const [, flag, inline] = /^--?([a-z-]+)(?:=(.*))?$/.exec(word) ?? [];
    return flag === name ? [inline ?? argv[index + 1] ?? ""] : [];
  });
  return values.findLast((value) => value !== "");
}
