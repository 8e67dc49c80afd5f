import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dashed } from "../../src/cli/argv";
import { MONITOR_ARGS } from "../../src/cli/monitor-options";
import { FAILURE_REASONS } from "../../src/driver/diagnosis";
import dashboard from "../../deploy/grafana/csi-node-monitor.json";
import { documentedLabels } from "../support/monitoring-page";

const ROOT = join(import.meta.dir, "../..");
const PAGE = readFileSync(join(ROOT, "docs/monitoring.md"), "utf8");

test.each(
  Object.entries(MONITOR_ARGS)
    .filter(([, { group }]) => group !== "General")
    .map(([name, flag]) => [dashed(name), "default" in flag ? String(flag.default) : ""]),
)("docs/monitoring.md explains %s with its default", (name, given) => {
  const row = PAGE.split("\n").find((line) => line.startsWith(`| \`${name}\``));
  const [, , written = ""] = row?.split("|").map((cell) => cell.trim()) ?? [];
  expect(written).toBe(given === "" ? "" : `\`${given}\``);
});

const ALERTS = readFileSync(join(ROOT, "deploy/examples/monitor/alerts.yaml"), "utf8");
const alerts = [...ALERTS.matchAll(/- alert: (\w+)/g)].map(([, alert = ""]) => alert);

/** The labels of each series that rules and dashboard may select, and where it is known, the values of one. */
const SERIES: ReadonlyMap<string, readonly string[]> = new Map([
  ...documentedLabels(PAGE),
  // The kubelet's, and Prometheus' own.
  ["plugin_manager_total_plugins", ["socket_path", "state"]],
  ["up", ["job"]],
]);
/** Every scrape adds it: see the PodMonitor. */
const TARGET_LABELS = ["node"];
const VALUES: Readonly<Record<string, readonly string[]>> = {
  reason: [...FAILURE_REASONS, "not_ready", "unknown"],
  state: ["found", "left_out", "desired_state_of_world", "actual_state_of_world"],
};

const RULES = ["alerts.yaml", "recording.yaml"].flatMap((name) => {
  // promtool says that they have this shape.
  const { groups } = Bun.YAML.parse(readFileSync(join(ROOT, "deploy/examples/monitor", name), "utf8")) as {
    readonly groups: readonly { readonly rules: readonly { alert?: string; record?: string; expr: string }[] }[];
  };
  return groups.flatMap(({ rules }) =>
    rules.map(({ alert, record, expr }) => [alert ?? record ?? "", expr, ""] as const),
  );
});
const PANELS = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, ...others }) => [title, expr, "legendFormat" in others ? others.legendFormat : ""] as const),
);

test.each([...RULES, ...PANELS])("%s selects series that there are, by labels that they have", (_, expr, legend) => {
  expect(faultsOf(expr, legend)).toEqual([]);
});

test("a label, a value or a metric that there is not would be seen", () => {
  const expr = 'sum by (a) (csi_node_driver_failing{b="1",reason="late"}) + on (node) csi_node_driver_gone';
  expect(faultsOf(expr, "{{c}}")).toEqual(["csi_node_driver_gone", "b", "reason=late", "a", "c"]);
});

/** The metrics, labels and values of an expression that there are not. */
function faultsOf(expr: string, legend: string): readonly string[] {
  const selectors = [...expr.matchAll(/(?<![\w:])(csi_node_\w+|plugin_manager_\w+|up)\b(?![:\w])(?:\{([^}]*)\})?/g)];
  const labels = new Set([...TARGET_LABELS, ...selectors.flatMap(([, metric = ""]) => SERIES.get(metric) ?? [])]);
  for (const [, made = ""] of expr.matchAll(/label_replace\([^"]*"[^"]*"[^"]*"(\w+)"/g)) labels.add(made);
  const grouping = [...expr.matchAll(/\b(?:by|on|without|ignoring)\s*\(([^)]*)\)/g)];
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)];
  const used = [...grouping.flatMap(([, list = ""]) => list.split(",")), ...shown.map(([, label = ""]) => label)];
  return [
    ...(selectors.length === 0 ? ["no selector"] : []),
    ...selectors.flatMap(([, metric = ""]) => (SERIES.has(metric) ? [] : [metric])),
    ...selectors.flatMap(([, metric = "", matchers = ""]) => matcherFaults(SERIES.get(metric) ?? [], matchers)),
    ...used.map((label) => label.trim()).filter((label) => !labels.has(label)),
  ];
}

function matcherFaults(labels: readonly string[], matchers: string): readonly string[] {
  return [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)].flatMap(([, label = "", value = ""]) => {
    if (![...labels, ...TARGET_LABELS].includes(label)) return [label];
    const known = VALUES[label];
    return value
      .split("|")
      .flatMap((each) => (known === undefined || known.includes(each) ? [] : [`${label}=${each}`]));
  });
}

test.each(alerts)("%s has a section in the runbook, with three commands and what fixes it, and a row", (alert) => {
  const runbook = readFileSync(join(ROOT, "docs/runbook.md"), "utf8");
  const [section = ""] = runbook.split(/^## /m).filter((part) => part.startsWith(`${alert}\n`));
  const [, commands = ""] = section.split(/```(?:sh)?\n/);
  expect(commands.trim().split("\n")).toHaveLength(3);
  expect(section).toContain("**What fixes it.**");
  expect(ALERTS).toContain(`/docs/runbook.md#${alert.toLowerCase()}\n`);
  expect(PAGE).toContain(`| \`${alert}\``);
});
