import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "../support/wait";
import { nodePrograms, writeImages } from "./programs";

/** A Kubernetes node called `node`, with an API server of its own. Dispose of it to end all of it. */
export interface Node extends AsyncDisposable {
  /** Its control group below each hierarchy of /sys/fs/cgroup. */
  readonly cgroup: string;
  /** The directory of its files, with a folder `log`. */
  readonly directory: string;
  /** The first process in its namespaces. */
  readonly pid: number;
  /** Where this machine sees a file of the node. */
  path(file: string): string;
  /**
   * Runs a command in the node's namespaces.
   *
   * @returns what it wrote to standard output
   * @throws with its standard error, where it exits with anything but 0
   */
  run(command: readonly string[], input?: string): Promise<string>;
  /**
   * What the API server answers to a GET, as the cluster's administrator.
   *
   * @param path such as `/api/v1/nodes/node`
   * @throws with the answer, where its status is not 200
   */
  read(path: string): Promise<string>;
  /** `run`, of kubectl as the cluster's administrator. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
}

const READY = '--output=jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}';
/** Of the cluster's administrator. */
export const KUBECONFIG = join(import.meta.dirname, "etc/kubeconfig.yaml");

/**
 * Starts a node, and returns once the API server says that it is ready. It ends with this process, too: `node.sh` ends
 * with its standard input.
 *
 * @param addImages writes the archives of its images into a directory
 * @throws where it cannot be started; standard error has what it said
 */
export async function startNode(addImages = writeImages): Promise<Node> {
  const programs = await nodePrograms();
  const { path: directory } = temporaryDirectory();
  const cgroup = basename(directory);
  mkdirSync(join(directory, "images"));
  await addImages(join(directory, "images"));
  const PATH = [...programs.path, process.env["PATH"]].join(":");
  // In a session of its own and not our child: neither Ctrl-C nor the end of a test's time keeps it from cleaning up.
  const script = ["bash", "-c", 'cat | setsid "$0" "$@"', join(import.meta.dirname, "node.sh")];
  const { stdin, stdout } = Bun.spawn([...script, directory, cgroup, programs.cni], {
    env: { ...process.env, PATH },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const said = stdout.getReader();
  const dispose = async () => {
    await stdin.end();
    while (!(await said.read()).done);
  };
  try {
    const { value } = await said.read();
    const [, first] = /^started (\d+)$/m.exec(new TextDecoder().decode(value)) ?? [];
    if (first === undefined) throw new Error("test/kubelet/node.sh did not start the kubelet");
    const node = nodeOf(directory, cgroup, Number(first), PATH, dispose);
    await waitUntil(async () => (await node.kubectl(["get", "nodes", READY])) === "True", "the node to be ready");
    return node;
  } catch (error) {
    await dispose();
    throw error;
  }
}

function nodeOf(directory: string, cgroup: string, pid: number, PATH: string, dispose: () => Promise<void>): Node {
  const run = async (command: readonly string[], input = ""): Promise<string> => {
    const child = Bun.spawn(["nsenter", `--target=${pid}`, "--mount", "--net", "--pid", ...command], {
      env: { ...process.env, PATH },
      stdin: new Blob([input]),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
    if (code !== 0) throw new Error(`${command.join(" ")} exited with ${code}: ${stderr.trim()}`);
    return stdout;
  };
  return {
    cgroup,
    directory,
    pid,
    path: (file) => `/proc/${pid}/root${file}`,
    run,
    read: async (route) => {
      const response = await fetch(`http://localhost${route}`, { unix: join(directory, "api.sock") });
      const text = await response.text();
      if (!response.ok) throw new Error(`GET ${route} was answered with ${response.status}: ${text.trim()}`);
      return text;
    },
    kubectl: (args, input) => run(["kubectl", "--kubeconfig", KUBECONFIG, ...args], input),
    [Symbol.asyncDispose]: dispose,
  };
}
