import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { RELEASE_DIRECTORY, RELEASE_NAMES } from "../../scripts/release/files";
import { waitUntil } from "../support/wait";
import { type Node, startNode } from "./node";
import { apply, containerOf, csiPod, podReady, processOf, readPod } from "./pods";

/** What these tests read of `list -o json`. */
interface Listed {
  readonly driver: string;
  readonly state: string;
  readonly listener?: { readonly namespace?: string; readonly pod?: string; readonly container?: string };
}

/** The executable that is in the image. */
const LIVENESSPROBE = join(RELEASE_DIRECTORY, RELEASE_NAMES.amd64);

let node: Node;
beforeAll(async () => {
  node = await startNode();
});
afterAll(async () => node[Symbol.asyncDispose]());

test.each([
  { kind: "with an address of its own", name: "own", hostNetwork: false },
  { kind: "on the host's network", name: "host", hostNetwork: true },
])("list tells a pod $kind, its namespace and its container, after a restart too", async ({ name, hostNetwork }) => {
  await apply(node, csiPod(name, { hostNetwork }));
  const pod = await podReady(node, name);
  const listener = { namespace: "default", pod: name, container: "driver" };
  expect(await listed(name)).toMatchObject({ state: "ready", listener });
  process.kill(processOf(pod, "driver"), "SIGKILL");
  await podReady(node, name, (now) => containerOf(now, "driver").restartCount === 1);
  expect(await listed(name)).toMatchObject({ state: "ready", listener });
});

test("inspect prints kubectl lines for the log of a driver, and they work", async () => {
  // Without a liveness probe, since it is to stay stopped.
  await apply(node, csiPod("stuck", { driver: { livenessProbe: undefined } }));
  process.kill(processOf(await podReady(node, "stuck"), "driver"), "SIGSTOP");
  expect(await logOf("stuck")).toContain('"listening"');
  process.kill(processOf(await readPod(node, "stuck"), "driver"), "SIGKILL");
  const restarted = await podReady(node, "stuck", (now) => containerOf(now, "driver").restartCount === 1);
  process.kill(processOf(restarted, "driver"), "SIGSTOP");
  expect(await logOf("stuck")).toContain('"listening"');
});

/** What the command prints that `inspect` gives for the log of a driver that hangs. */
async function logOf(name: string): Promise<string> {
  const shown = await inspected(name);
  const [, args = ""] = /^ *kubectl (logs .*)$/m.exec(shown) ?? [];
  expect(args).toStartWith(`logs -n default ${name} -c driver`);
  return node.kubectl(args.split(" "));
}

/** The driver is not ready in some of these tests, so the exit code is not looked at. */
async function inspected(name: string): Promise<string> {
  const command = '"$0" inspect "$1" --probe-timeout=1s || true';
  return node.run(["sh", "-c", command, LIVENESSPROBE, `/var/lib/kubelet/plugins/${name}.csi.example/csi.sock`]);
}

async function listed(name: string): Promise<Listed> {
  const list = await node.run([LIVENESSPROBE, "list", "--output=json", `--driver=${name}.csi.example`]);
  // docs/output.schema.json
  const { items } = JSON.parse(list) as { readonly items: readonly Listed[] };
  const [item] = items;
  if (item === undefined) throw new Error(`list has no ${name}.csi.example: ${list}`);
  return item;
}

test("kubectl debug with --profile=sysadmin lists a privileged driver with its pod", async () => {
  await apply(node, csiPod("privileged", { driver: { securityContext: { privileged: true } } }));
  await podReady(node, "privileged");
  const image = "--image=registry.example/csi-livenessprobe:0.1.0";
  const how = ["--namespace=kube-system", "--profile=sysadmin", image, "--attach=false"];
  const list = ["/usr/bin/livenessprobe", "list", "--root", "/host"];
  await node.kubectl(["debug", "node/node", ...how, "--", ...list]);
  const pod = (await node.kubectl(["get", "pods", "--namespace=kube-system", "--output=name"])).trim();
  const phase = ["get", pod, "--namespace=kube-system", "--output=jsonpath={.status.phase}"];
  await waitUntil(async () => /Succeeded|Failed/.test(await node.kubectl(phase)), "list to end");
  const shown = await node.kubectl(["logs", pod, "--namespace=kube-system"]);
  expect(shown).toMatch(/^privileged\.csi\.example +1\.0\.0 +ready .* default\/privileged +driver /m);
});
