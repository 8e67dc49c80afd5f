import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import dashboard from "../../deploy/grafana/csi-node-monitor.json";
import { startLineProcess } from "../../scripts/line-process";
import { temporaryDirectory } from "../../scripts/temporary";
import type { RunningDriver } from "../support/drivers";
import { kubeletNode, PLUGINS, REGISTRY, startIn, startRegistrar } from "../support/listed-node";
import { findProgram } from "../support/prometheus-programs";
import { startSidecar } from "../support/sidecar";
import { waitUntil } from "../support/wait";

// Processes start slowly on a busy machine.
setDefaultTimeout(240_000);

const RULES = join(import.meta.dirname, "../../deploy/examples/monitor");
const NODE = "node-1";
const program = await findProgram("prometheus");
const resources = new AsyncDisposableStack();
let hung: RunningDriver;
let prometheusUrl = "";
let isRegistered = false;

test.if(program !== undefined)(
  "a real Prometheus fires the alerts on a driver that hangs and one that is not registered, and answers the dashboard",
  async () => {
    await fires("CSINodeDriverNotRegistered", "a.csi");
    isRegistered = true;
    await ends("CSINodeDriverNotRegistered");
    expect(await firing("CSINodeDriverFailing")).toEqual([]);
    await hung.pause();
    await fires("CSINodeDriverFailing", "b.csi");
    const [alert] = await firing("CSINodeDriverFailing");
    expect(alert?.annotations["description"]).toEndWith("The present reason is hung.");
    await Promise.all(dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => hasResult(expr))));
    hung.resume();
    await ends("CSINodeDriverFailing");
  },
);

test.if(program !== undefined)("its recording rules have a value", async () => {
  await waitUntil(async () => (await readyDrivers()).length === 2, "both drivers");
  expect((await readyDrivers()).toSorted()).toEqual(["a.csi", "b.csi"]);
});

beforeAll(async () => {
  if (program === undefined) return;
  const directory = resources.use(temporaryDirectory()).path;
  const node = resources.use(kubeletNode());
  resources.use(await startIn(node, "grpc-js", "a.csi"));
  hung = resources.use(await startIn(node, "grpc-js", "b.csi"));
  resources.use(await startRegistrar(node, { name: "a.csi", endpoint: `${PLUGINS}/a.csi/csi.sock` }));
  const flags = ["--interval=5s", "--probe-timeout=1s", "--http-endpoint=127.0.0.1:0"];
  const monitor = resources.use(await startSidecar(["monitor", "--root", node.rootDir, ...flags]));
  const kubelet = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response(kubeletMetrics()),
  });
  resources.defer(() => kubelet.stop(true));
  prometheusUrl = await startPrometheus(program, directory, [
    ["csi-node-monitor", new URL(monitor.url).host],
    ["kubelet", kubelet.url.host],
  ]);
});
afterAll(() => resources.disposeAsync());

async function startPrometheus(path: string, directory: string, targets: readonly (readonly [string, string])[]) {
  // The rules as they are, but without the minutes that they wait.
  const rules = ["alerts.yaml", "recording.yaml"].map((name) => {
    writeFileSync(join(directory, name), readFileSync(join(RULES, name), "utf8").replace(/ for: \w+$/gm, " for: 1s"));
    return name;
  });
  const config = {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: rules,
    scrape_configs: targets.map(([job, target]) => ({
      job_name: job,
      static_configs: [{ targets: [target], labels: { node: NODE } }],
    })),
  };
  // JSON is YAML too.
  writeFileSync(join(directory, "prometheus.yaml"), JSON.stringify(config));
  const flags = [
    `--config.file=${directory}/prometheus.yaml`,
    `--storage.tsdb.path=${directory}/data`,
    "--web.listen-address=127.0.0.1:0",
  ];
  const prometheus = resources.use(startLineProcess([path, ...flags], { read: "stderr" }));
  const [, address] = await prometheus.waitFor(/"?Listening on"? address=(\S+)/);
  await prometheus.waitFor(/Server is ready to receive web requests/);
  return `http://${address}`;
}

interface Alert {
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

async function firing(name: string): Promise<readonly Alert[]> {
  const { data } = await ask<{ readonly alerts: readonly Alert[] }>("/api/v1/alerts");
  return data.alerts.filter(({ state, labels }) => state === "firing" && labels["alertname"] === name);
}

function fires(name: string, driverName: string): Promise<unknown> {
  return waitUntil(async () => {
    const labels = (await firing(name)).map((alert) => alert.labels);
    return labels.some((each) => each["driver_name"] === driverName && each["node"] === NODE);
  }, `${name} to fire`);
}

async function readyDrivers(): Promise<readonly (string | undefined)[]> {
  return (await query("driver_name:csi_node_driver_ready:count")).map(({ metric }) => metric["driver_name"]);
}

/** What a kubelet says of a registration socket that it has found, and of one whose driver it has registered too. */
function kubeletMetrics(): string {
  const states = ["desired_state_of_world", ...(isRegistered ? ["actual_state_of_world"] : [])];
  const lines = states.map(
    (state) => `plugin_manager_total_plugins{socket_path="${REGISTRY}/a-reg.sock",state="${state}"} 1\n`,
  );
  return lines.join("");
}

function ends(name: string): Promise<unknown> {
  return waitUntil(async () => (await firing(name)).length === 0, `${name} to end`);
}

/** A query of the dashboard. No process of this node has a memory limit, so none was killed for it. */
async function hasResult(expr: string): Promise<void> {
  const asked = expr.replaceAll("$node", NODE).replaceAll("$driver_name", ".*");
  expect({ asked, found: (await query(asked)).length > 0 }).toEqual({ asked, found: !asked.includes("oom_kills") });
}

async function query(expression: string) {
  const { data } = await ask<{ readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[] }>(
    `/api/v1/query?query=${encodeURIComponent(expression)}`,
  );
  return data.result;
}

async function ask<Data>(path: string): Promise<{ readonly data: Data }> {
  // Prometheus' own HTTP API.
  return (await (await fetch(prometheusUrl + path)).json()) as { readonly data: Data };
}
