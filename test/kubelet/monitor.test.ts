import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { YAML } from "bun";
import { temporaryDirectory } from "../../scripts/temporary";
import { needProgram } from "../support/prometheus-programs";
import { runToEnd } from "../support/run-to-end";
import { waitUntil } from "../support/wait";
import { applyExample, withArgs } from "./examples";
import { type Node, startNode } from "./node";
import { apply, containerOf, csiPod, podReady, processOf, registeredDrivers } from "./pods";

const PLUGINS = "/var/lib/kubelet/plugins";
const NAMESPACE = "csi-node-monitor";
const READY = "csi_node_driver_ready";
/** Of a driver that the monitor, which probes every 5 s, is to find first. */
const SLOW_LIVENESS = {
  httpGet: { path: "/healthz", port: 9808 },
  periodSeconds: 2,
  failureThreshold: 10,
  terminationGracePeriodSeconds: 1,
};

let node: Node;
beforeAll(async () => {
  node = await startNode();
  const [name = ""] = await applyExample(node, "monitor", (spec) =>
    withArgs(spec, "monitor", { "--interval": "5s", "--probe-timeout": "1s" }),
  );
  await podReady(node, name, undefined, NAMESPACE);
});
afterAll(async () => node[Symbol.asyncDispose]());

/** Drivers that announce themselves, in pods of the same name. */
const ANNOUNCED = [
  { name: "registered", args: [`--kubelet-registration-path=${PLUGINS}/registered.csi.example/csi.sock`] },
  { name: "wrong-endpoint", args: [`--kubelet-registration-path=${PLUGINS}/nothing/csi.sock`] },
  {
    name: "wrong-version",
    args: [`--kubelet-registration-path=${PLUGINS}/wrong-version.csi.example/csi.sock`, "--versions=9.0.0"],
  },
];

test("the kubelet registers a driver, and the monitor's alert is due for those alone that it refuses", async () => {
  await apply(node, ...ANNOUNCED.map(({ name, args }) => csiPod(name, { registrarArgs: args })));
  await waitUntil(async () => (await registeredDrivers(node)).length > 0, "the driver's CSINode");
  expect(await registeredDrivers(node)).toEqual(["registered.csi.example"]);
  const announced = /"registered\.csi\.example"[^}]*"announced": ?"yes"/;
  await waitUntil(async () => announced.test(await ask("/api/v1/drivers")), "the driver to be announced");
  const refused = ["wrong-endpoint", "wrong-version"];
  let said = "";
  await waitUntil(
    async () => (said = await dueFor(refused)) === "SUCCESS",
    () => `the alert to be due for ${refused.join(", ")}: ${said}`,
  );
});

test("the incident of a stopped driver holds the evidence from before the kubelet restarted it", async () => {
  // What is seen of a privileged driver is seen of any.
  const securityContext = { privileged: true };
  await apply(node, csiPod("stopped", { driver: { livenessProbe: SLOW_LIVENESS, securityContext } }));
  const pod = await podReady(node, "stopped");
  await waitUntil(
    async () => (await ask("/metrics")).includes(`${READY}{driver_name="stopped.csi.example"} 1`),
    "ready",
  );
  process.kill(processOf(pod, "driver"), "SIGSTOP");
  await podReady(node, "stopped", (now) => containerOf(now, "driver").restartCount === 1);

  const closed = await waitUntil(async () => {
    const { items } = JSON.parse(await ask("/api/v1/incidents")) as { readonly items: readonly Incident[] };
    return items.find(({ driver, end }) => driver === "stopped.csi.example" && end === "recovered");
  }, "the incident to be closed");
  expect(closed).toMatchObject({ namespace: "default", pod: "stopped", container: "driver", reason: "hung" });
  expect(closed.verdict).toBe("failed: hung at HTTP/2; process stopped (T)");
  const file = node.path(`/var/log/csi-node-monitor/incident-${closed.id}.json`);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ node: "node" });
  const isComplete = () => {
    const text = readFileSync(file, "utf8");
    return text.includes("stopped (T)") && text.includes('"kind": "restarted"');
  };
  await waitUntil(isComplete, "the evidence and the restart in the incident's file");
});

/** What these tests read of an incident in /api/v1/incidents. */
interface Incident {
  readonly id: string;
  readonly driver?: string;
  readonly end?: string;
  readonly verdict?: string;
}

/**
 * Whether `CSINodeDriverNotRegistered` is due for these drivers and no others, by what the kubelet and the monitor
 * expose.
 *
 * @returns what promtool says
 */
async function dueFor(names: readonly string[]): Promise<string> {
  const kubelet = await node.read("/api/v1/nodes/node/proxy/metrics");
  const exposed = `${kubelet}\n${await ask("/metrics")}`.split("\n");
  const series = exposed.flatMap((line) => {
    const [, name, labels, value] =
      /^(plugin_manager_total_plugins|csi_node_driver_\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ series: `${name}{${labels},node="node"}`, values: `${value}x1` }];
  });
  const samples = names.map((name) => {
    const socket = `/var/lib/kubelet/plugins_registry/${name}.csi.example-reg.sock`;
    return { labels: `{driver_name="${name}.csi.example",node="node",registration_socket="${socket}"}`, value: 1 };
  });
  const asked = { expr: notRegistered(), eval_time: "0s", exp_samples: samples };
  using directory = temporaryDirectory();
  const file = join(directory.path, "test.yaml");
  // JSON is YAML too.
  writeFileSync(file, JSON.stringify({ tests: [{ input_series: series, promql_expr_test: [asked] }] }));
  const { stdout, stderr } = await runToEnd([await needProgram("promtool"), "test", "rules", file]);
  return `${stdout}${stderr}`.replace(/.*\n/, "").trim();
}

/** The expression of the alert. */
function notRegistered(): string {
  const file = join(import.meta.dirname, "../../deploy/examples/monitor/alerts.yaml");
  // Prometheus' format of rules.
  const { groups } = YAML.parse(readFileSync(file, "utf8")) as {
    readonly groups: readonly { readonly rules: readonly { readonly alert?: string; readonly expr: string }[] }[];
  };
  const rule = groups.flatMap(({ rules }) => rules).find(({ alert }) => alert === "CSINodeDriverNotRegistered");
  return rule?.expr ?? "";
}

/** What the monitor serves, through the API server. */
async function ask(path: string): Promise<string> {
  return node.read(`/api/v1/namespaces/${NAMESPACE}/pods/csi-node-monitor:9809/proxy${path}`);
}
