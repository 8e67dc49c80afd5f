import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { RELEASE_DIRECTORY, RELEASE_NAMES } from "../../scripts/release/files";
import { runInPty, screenOf } from "../support/pty";
import { waitUntil } from "../support/wait";
import { type Node, startNode } from "./node";
import { apply, csiPod, podReady, processOf, readPod, registeredDrivers } from "./pods";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/debugging.md"), "utf8");
const COLUMNS = 140;
const IMAGE = "registry.example/csi-livenessprobe:0.1.0";
const NAMESPACE = "kube-system";

let node: Node;
beforeAll(async () => {
  node = await startNode();
  mkdirSync(join(node.directory, "bin"));
  symlinkSync(join(RELEASE_DIRECTORY, RELEASE_NAMES.amd64), join(node.directory, "bin/livenessprobe"));
  // Without a liveness probe: nothing restarts a stopped driver.
  const driver = { livenessProbe: undefined };
  const registered = ["red", "blue", "green"].map((name) => {
    const path = `/var/lib/kubelet/plugins/${name}.csi.example/csi.sock`;
    return csiPod(name, { driver, registrarArgs: [`--kubelet-registration-path=${path}`] });
  });
  await apply(node, ...registered, csiPod("gone", { driver }));
  await waitUntil(async () => (await registeredDrivers(node)).length === registered.length, "the drivers' CSINode");
  for (const name of ["red", "gone"]) process.kill(processOf(await podReady(node, name), "driver"), "SIGSTOP");
  // It ends by SIGKILL, so its socket stays.
  await node.kubectl(["delete", "pod", "gone", "--grace-period=1"]);
});
afterAll(async () => node[Symbol.asyncDispose]());

const SHOWN = /^```text\n\$ (livenessprobe (?:list|inspect|check)(?: [\w./]+)?)\n([^]*?)^```$/gm;

test.each([...PAGE.matchAll(SHOWN)].map(([, command = "", output = ""]) => [command, output] as const))(
  "docs/debugging.md shows what this node prints: $ %s",
  async (command, shown) => {
    const entered = ["nsenter", `--target=${node.pid}`, "--mount", "--net", "--pid", ...command.split(" ")];
    const env = { PATH: `${node.directory}/bin:${process.env["PATH"]}`, NO_COLOR: "1", TERM: "xterm" };
    const { output } = await runInPty(entered, { columns: COLUMNS, env });
    expect(withoutNumbers(screenOf(output))).toBe(withoutNumbers(shown));
  },
);

/**
 * Without what differs from run to run: times, process ids, and with them the columns' widths and the ends of lines.
 */
function withoutNumbers(text: string): string {
  const times = text.replace(/\b(\d+(\.\d+)?(µs|ms|s|m))+\b/g, "TIME");
  return times
    .replace(/(pid|-CONT) \d+/g, "$1 PID")
    .replace(/\s+/g, " ")
    .trim();
}

describe("kubectl debug", () => {
  beforeAll(async () => {
    await apply(node, csiPod("privileged", { driver: { securityContext: { privileged: true } } }));
    await podReady(node, "privileged");
  });

  test.concurrent.each([
    ["sysadmin", "lists all drivers, a privileged one with its pod", "list", / default\/privileged +driver /],
    [
      "general",
      "lists a privileged driver without its pod",
      "list",
      /^privileged\.csi\.example +1\.0\.0 +ready .* - +- /m,
    ],
    [
      "general",
      "says what it lacks",
      "inspect privileged.csi.example",
      /^- +listener +not permitted: needs SYS_PTRACE /m,
    ],
    ["netadmin", "mounts no /host", "list", /^--root must be a directory, got \/host: no such directory$/m],
    ["baseline", "mounts no /host", "list", /^--root must be a directory, got \/host: no such directory$/m],
    ["restricted", "runs no image as root", "list", /^container has runAsNonRoot and image will run as root/],
  ])("with --profile=%s %s", async (profile, _, words, expected) => {
    expect(await debug(profile, IMAGE, [...words.split(" "), "--root=/host"])).toMatch(expected);
  });

  test("with --profile=restricted tries the variant nonroot, as docs/platforms.md says", async () => {
    expect(await debug("restricted", `${IMAGE}-nonroot`, ["--version"])).toStartWith("livenessprobe 0.1.0 ");
  });

  test("installs the executable on the node, where the command that it prints lists the drivers", async () => {
    const [, words = "", command = ""] =
      /-- \/usr\/bin\/livenessprobe (install .*)\n[^]*?(\/opt\/.* list)$/m.exec(PAGE) ?? [];
    expect(await debug("sysadmin", IMAGE, moved(words).split(" "))).toContain(moved(command));
    expect(await node.run(["sh", "-c", `${moved(command)} --driver=blue.csi.example`])).toContain("default/blue");
  });
});

/** The node's /opt is this machine's, and its /var/lib is its own. */
function moved(text: string): string {
  return text.replaceAll("/opt/", "/var/lib/");
}

/** What a command of our image prints in the pod that `kubectl debug` makes; or why that does not start. */
async function debug(profile: string, image: string, words: readonly string[]): Promise<string> {
  const how = [`--namespace=${NAMESPACE}`, `--profile=${profile}`, `--image=${image}`, "--attach=false"];
  const said = await node.kubectl(["debug", "node/node", ...how, "--", "/usr/bin/livenessprobe", ...words]);
  return outputOf(/ pod (\S+) /.exec(said)?.[1] ?? "");
}

async function outputOf(name: string): Promise<string> {
  const [status] = await waitUntil(async () => {
    const { status: pod } = await readPod(node, name, NAMESPACE);
    const ended = pod.containerStatuses?.filter(({ state }) => state.terminated ?? state.waiting?.message);
    return ended?.length === 1 ? ended : undefined;
  }, `the pod ${name} to end`);
  return status?.state.waiting?.message ?? node.read(`/api/v1/namespaces/${NAMESPACE}/pods/${name}/log`);
}

test.concurrent.each([
  [
    "not-root",
    "list --root=/host",
    { runAsUser: 65_532 },
    "/",
    "/host",
    /^Not permitted: uid 65532 may not look into /,
  ],
  [
    "no-host-pid",
    "inspect blue.csi.example",
    { privileged: true },
    "/var/lib/kubelet",
    "/var/lib/kubelet",
    /^- +listener +not permitted: needs hostPID /m,
  ],
])("in the pod %s, `%s` says what is missing", async (name, words, securityContext, path, mountPath, expected) => {
  const volumeMounts = [{ name: "node", mountPath }];
  await apply(node, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeName: "node",
      restartPolicy: "Never",
      containers: [{ name: "livenessprobe", image: IMAGE, args: words.split(" "), securityContext, volumeMounts }],
      volumes: [{ name: "node", hostPath: { path } }],
    },
  });
  expect(await outputOf(name)).toMatch(expected);
});
