import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dashed } from "../../src/cli/argv";
import { MONITOR_ARGS } from "../../src/cli/monitor-options";

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

test("docs/monitoring.md names every metric, and no other", () => {
  const source = readFileSync(join(ROOT, "src/monitor/metrics.ts"), "utf8");
  const drivers = [...source.matchAll(/metric\("([a-z_]+)"|metric\(\s*"([a-z_]+)"/g)].map(
    ([, one, other]) => `csi_node_driver_${one ?? other}`,
  );
  const own = [...source.matchAll(/"(csi_node_monitor_[a-z_]+)"/g)].map(([, name = ""]) => name);
  const rows = [...PAGE.matchAll(/^\| `(csi_node_[a-z_]+)`/gm)].map(([, name = ""]) => name);
  expect(rows.toSorted()).toEqual([...drivers, ...own].toSorted());
});

const ALERTS = readFileSync(join(ROOT, "deploy/examples/monitor/alerts.yaml"), "utf8");
const alerts = [...ALERTS.matchAll(/- alert: (\w+)/g)].map(([, alert = ""]) => alert);

test("the alerts name only metrics that there are", () => {
  const named = [...ALERTS.matchAll(/\bcsi_node_[a-z_]+/g)].map(([name]) => name);
  expect(named.filter((name) => !PAGE.includes(`| \`${name}\` `))).toEqual([]);
  expect(named.length).toBeGreaterThan(alerts.length);
});

test.each(alerts)("%s has a section in the runbook, with three commands and what fixes it, and a row", (alert) => {
  const runbook = readFileSync(join(ROOT, "docs/runbook.md"), "utf8");
  const [section = ""] = runbook.split(/^## /m).filter((part) => part.startsWith(`${alert}\n`));
  const [, commands = ""] = section.split(/```(?:sh)?\n/);
  expect(commands.trim().split("\n")).toHaveLength(3);
  expect(section).toContain("**What fixes it.**");
  expect(ALERTS).toContain(`/docs/runbook.md#${alert.toLowerCase()}\n`);
  expect(PAGE).toContain(`| \`${alert}\``);
});
