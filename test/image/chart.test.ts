import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { CHART, renderChart, renderExample, RULE_FILES } from "../../scripts/chart";
import { run, runProgram } from "../../scripts/run";
import { temporaryDirectory } from "../../scripts/temporary";
import { tool } from "../../scripts/tools/tool";
import { MONITOR_ARGS, readMonitorOptions } from "../../src/cli/monitor-options";
import { containerOf, type Manifest, podOf, readManifests } from "../support/manifests";
import { findPromtool } from "../support/prometheus-programs";
import { readFlags } from "../support/serve-flags";

const EXAMPLES = join(import.meta.dirname, "../../deploy/examples/monitor");
const [helm, validator] = [await tool("helm"), await tool("kubernetes-validate")];
const promtool = await findPromtool();

test.each([
  ["by default", []],
  ["with everything for the Prometheus Operator", ["--set=podMonitor.enabled=true,prometheusRule.enabled=true"]],
])("helm lint finds nothing %s", async (_, args) => {
  expect(await runProgram(helm, ["lint", "--strict", "--quiet", ...args, CHART])).toBe("");
});

test("the example is what `bun run chart` writes", async () => {
  expect(readManifests(join(EXAMPLES, "daemonset.yaml"))).toEqual(parse(await renderExample()));
});

test.each(RULE_FILES)("the example's %s is the chart's", (name) => {
  expect(readFileSync(join(EXAMPLES, name), "utf8")).toBe(readFileSync(join(CHART, "files", name), "utf8"));
});

test("the chart is of this version", () => {
  const chart = Bun.YAML.parse(readFileSync(join(CHART, "Chart.yaml"), "utf8"));
  expect(chart).toMatchObject({ version: packageJson.version, appVersion: packageJson.version });
});

describe("Kubernetes takes what the chart makes, and the monitor its flags", () => {
  test("with every value set", async () => {
    const { pod, options } = await makeValid([
      ["image.tag", "v9"],
      ["imagePullSecrets[0].name", "pull"],
      ["interval", "1m30s"],
      ["probeTimeout", "5s"],
      ["kubeletDirs", "{/data/kubelet,/var/lib/kubelet}"],
      ["serve", "metrics"],
      ["loggingFormat", "json"],
      ["verbosity", "5"],
      ["incidents.storage", "emptyDir"],
      ["incidents.logs", "true"],
      ["podAnnotations.a", "b"],
    ]);
    expect(options).toMatchObject({
      rootDir: "/host",
      intervalMs: 90_000,
      probeTimeoutMs: 5_000,
      kubeletDirs: ["/data/kubelet", "/var/lib/kubelet"],
      serving: "metrics",
      incidentDir: "/incidents",
      incidentLogs: true,
      log: { format: "json", verbosity: 5 },
    });
    expect(containerOf(pod, "monitor").image).toBe("registry.example/csi-livenessprobe:v9");
    expect(pod.volumes?.at(-1)).toEqual({ name: "incidents", emptyDir: { sizeLimit: "64Mi" } });
  });

  test("with nothing that can be left out", async () => {
    const { pod, options } = await makeValid([
      ["incidents.storage", "none"],
      ["sysPtrace", "false"],
      ["appArmorProfile", ""],
      ["seLinuxType", ""],
      ["priorityClassName", ""],
      ["tolerations", "null"],
    ]);
    expect([options.incidentDir, pod.volumes?.length]).toEqual([undefined, 1]);
    expect(containerOf(pod, "monitor").securityContext).toEqual({
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    });
  });
});

async function makeValid(values: readonly (readonly string[])[]) {
  using directory = temporaryDirectory();
  const file = join(directory.path, "manifests.yaml");
  const text = await renderChart(setting(values));
  writeFileSync(file, text);
  await runProgram(validator, ["--strict", file]);
  const pod = podOf(parse(text));
  const [command, ...words] = containerOf(pod, "monitor").args ?? [];
  expect(command).toBe("monitor");
  return { pod, options: readMonitorOptions(await readFlags("monitor", MONITOR_ARGS, words)) };
}

test("the PodMonitor is that of the example, with its own labels", async () => {
  const args = setting([
    ["podMonitor.enabled", "true"],
    ["podMonitor.labels.release", "prometheus"],
  ]);
  const made = parse(await renderChart(args)).find(({ kind }) => kind === "PodMonitor");
  const [example] = readManifests(join(EXAMPLES, "podmonitor.yaml"));
  expect(made?.metadata.labels).toMatchObject({ release: "prometheus" });
  expect(made?.spec).toMatchObject(example?.spec ?? {});
});

describe("the PrometheusRule", () => {
  const args = setting([
    ["prometheusRule.enabled", "true"],
    ["prometheusRule.labels.release", "prometheus"],
  ]);
  const made = async () => parse(await renderChart(args)).find(({ kind }) => kind === "PrometheusRule");

  test("has the alerts and the recording rules of the example, and its own labels", async () => {
    const rule = await made();
    const groups = RULE_FILES.flatMap((name) => readRules(readFileSync(join(EXAMPLES, name), "utf8")).groups);
    expect(rule?.metadata.labels).toMatchObject({ release: "prometheus" });
    expect<unknown>(rule?.spec).toEqual({ groups });
  });

  test.if(promtool !== undefined)("is taken by promtool", async () => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "rules.yaml");
    // JSON is YAML too.
    writeFileSync(file, JSON.stringify((await made())?.spec));
    expect(await run([promtool ?? "", "check", "rules", file])).toContain("SUCCESS: 12 rules found");
  });

  test("is left out by default", async () => {
    expect(parse(await renderChart()).map(({ kind }) => kind)).not.toContain("PrometheusRule");
  });
});

describe("the schema refuses", () => {
  test.each([
    ["a value that there is not", "sysPTrace", "true", "sysPTrace"],
    ["one that there is not, inside of another", "incidents.dir", "/x", "'dir'"],
    ["a word where only true and false are possible", "prometheusRule.enabled", "yes-please", "enabled"],
    ["a duration without a unit", "interval", "30", "interval"],
    ["a word that is none of those known", "incidents.storage", "hostpath", "storage"],
  ])("%s", async (_, name, value, complaint) => {
    await expect(renderChart(setting([[name, value]]))).rejects.toThrow(new RegExp(complaint));
  });

  test("logs without a storage, which the monitor would refuse", async () => {
    const args = setting([
      ["incidents.storage", "none"],
      ["incidents.logs", "true"],
    ]);
    await expect(renderChart(args)).rejects.toThrow(/incidents/);
  });
});

function setting(values: readonly (readonly string[])[]): readonly string[] {
  return values.flatMap(([name, value]) => ["--set", `${name}=${value}`]);
}

function readRules(yaml: string) {
  return Bun.YAML.parse(yaml) as { readonly groups: readonly unknown[] };
}

// The validator and the schema of the example's test say that they have the shape of their kind.
function parse(yaml: string): readonly Manifest[] {
  return [Bun.YAML.parse(yaml)].flat() as readonly Manifest[];
}
