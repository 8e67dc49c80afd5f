import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "../../scripts/run";
import { needPrograms } from "../../scripts/tools/debian";
import { openLayout } from "../../scripts/image/oci/layout";
import { type Ended, runToEnd } from "./run-to-end";
import { temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "./wait";

/** podman with images, containers and settings of its own. Dispose of it to end and remove all of them. */
export interface Podman extends AsyncDisposable {
  /** What makes any `podman`, and what calls it, work with these and leave the machine's own alone. */
  readonly env: Readonly<Record<string, string>>;
  /** Copies this machine's image of an OCI layout in, each layer once; the name to start it by. */
  load(layout: string): Promise<string>;
  /** Runs a container to its end, without a network, and removes it. */
  run(options: readonly string[], image: string, args: readonly string[]): Promise<Ended>;
  /** Starts a sidecar and returns once it says where it listens. */
  start(options: readonly string[], image: string, args: readonly string[]): Promise<Container>;
}

/** A running sidecar. Dispose of it to kill and remove it. */
export interface Container extends AsyncDisposable {
  /** Where it listens: `[::]:9808`. */
  readonly address: string;
  /** For a request from this machine, without a slash at its end. */
  readonly url: string;
  exec(command: readonly string[]): Promise<Ended>;
  /** Sends the image's stop signal, and SIGKILL after the time given; the exit code, which is 137 after SIGKILL. */
  stop(graceSeconds: number): Promise<number>;
}

/**
 * An option that puts a container on the machine's own network: container networks take packages that podman does not
 * bring, and rules in the machine's firewall. Give the sidecar port 0.
 */
export const ON_HOST_NETWORK = "--network=host";

/** @throws where podman is missing and cannot be installed */
export async function startPodman(): Promise<Podman> {
  await needPrograms({ podman: "podman", runc: "runc", skopeo: "skopeo" });
  const directory = temporaryDirectory();
  const env = writeSettings(directory.path);
  const podman = (args: readonly string[]): Promise<Ended> => runToEnd(["podman", ...args], env);
  const dispose = async (): Promise<void> => {
    await podman(["rm", "--all", "--force", "--time=0"]);
    directory[Symbol.dispose]();
  };
  return {
    env,
    load: async (layout) => {
      const tag = openLayout(layout).annotations["org.opencontainers.image.version"] ?? "";
      const image = `localhost/${basename(layout)}:${tag}`;
      await run(["skopeo", "copy", "--quiet", `oci:${layout}:${tag}`, `containers-storage:${image}`], { env });
      return image;
    },
    run: (options, image, args) => podman(["run", "--rm", "--network=none", ...options, image, ...args]),
    start: (options, image, args) => start(podman, options, image, args),
    [Symbol.asyncDispose]: dispose,
  };
}

/** containers.conf(5) and containers-storage.conf(5). */
function writeSettings(directory: string): Readonly<Record<string, string>> {
  const settings = {
    CONTAINERS_CONF: [
      "[containers]",
      // podman's own would be above what a container within a container may have.
      'default_ulimits = ["nofile=20000:20000", "nproc=30000:30000"]',
      "[engine]",
      // There is not always a systemd to manage control groups and to take events.
      'cgroup_manager = "cgroupfs"',
      'events_logger = "file"',
      'runtime = "runc"',
      // In memory they would be shared with the machine's own podman.
      'lock_type = "file"',
      `tmp_dir = "${directory}/tmp"`,
    ],
    // vfs works on every file system, one of a container too.
    CONTAINERS_STORAGE_CONF: [
      "[storage]",
      'driver = "vfs"',
      `graphroot = "${directory}/graph"`,
      `runroot = "${directory}/run"`,
    ],
  };
  return Object.fromEntries(
    Object.entries(settings).map(([variable, lines]) => {
      const path = join(directory, `${variable}.toml`);
      writeFileSync(path, `${lines.join("\n")}\n`);
      return [variable, path];
    }),
  );
}

async function start(
  podman: (args: readonly string[]) => Promise<Ended>,
  options: readonly string[],
  image: string,
  args: readonly string[],
): Promise<Container> {
  const started = await podman(["run", "--detach", ...options, image, ...args]);
  const id = started.stdout.trim();
  if (started.code !== 0) throw new Error(`podman run ${image} ended with ${started.code}: ${started.stderr}`);
  const remove = async (): Promise<void> => void (await podman(["rm", "--force", "--time=0", id]));
  let log = "";
  try {
    const address = await waitUntil(
      async () => {
        log = (await podman(["logs", id])).stderr;
        return /"Listening".* address="([^"]+)"/.exec(log)?.[1];
      },
      () => `a container of ${image} to listen; it said: ${log}`,
    );
    return {
      address,
      url: `http://${address.replace("[::]", "127.0.0.1")}`,
      exec: (command) => podman(["exec", id, ...command]),
      stop: async (graceSeconds) => {
        await podman(["stop", `--time=${graceSeconds}`, id]);
        const inspected = await podman(["inspect", "--format={{.State.Status}} {{.State.ExitCode}}", id]);
        const code = /^exited (\d+)$/m.exec(inspected.stdout)?.[1];
        if (code === undefined) throw new Error(`podman stop left the container as ${JSON.stringify(inspected)}`);
        return Number(code);
      },
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
