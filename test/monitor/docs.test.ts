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
