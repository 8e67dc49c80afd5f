import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECK_ARGS, readCheckOptions } from "../../src/cli/operator-options";
import packageJson from "../../package.json" with { type: "json" };
import { formatDuration } from "../../src/base/duration";
import { temporaryDirectory } from "../../scripts/temporary";
import { findPromtool } from "../support/prometheus-programs";
import { runToEnd } from "../support/run-to-end";
import { readFlags, readServeFlags } from "../support/serve-flags";
import { CHARTS, type ChartValues } from "./charts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/adopting.md"), "utf8");
const IMAGE = `registry.example/csi-livenessprobe:${packageJson.version}`;

describe.each(CHARTS.map((chart) => [chart.name, chart] as const))("docs/adopting.md on %s", (name, chart) => {
  const snippet = snippetOf(name);

  test("sets keys that the chart has, and nothing but the image", () => {
    const paths = leavesOf(snippet).map(([path]) => path);
    expect(paths.filter((path) => valueAt(chart.values, path) === undefined)).toEqual([]);
    expect(paths.filter((path) => !chart.image.includes(path))).toEqual([]);
  });

  test("makes the chart's image ours", () => {
    const given = new Map(leavesOf(snippet));
    const parts = chart.image.map((part) =>
      part.startsWith("'") ? part.slice(1) : (given.get(part) ?? valueAt(chart.values, part)),
    );
    expect(parts.join("")).toBe(IMAGE);
  });

  test("leaves arguments that the sidecar takes, and tells the chart's timeouts and limit", async () => {
    const { probeTimeoutMs, endpoints } = await readServeFlags(chart.args);
    const row = rowOf(name.split(" ")[0] ?? "");
    expect(row.slice(2, 5)).toEqual([formatDuration(probeTimeoutMs), String(chart.timeoutSeconds), chart.memoryLimit]);
    expect(row[5] === "none").toBe(endpoints.every(({ metricsPath }) => metricsPath === undefined));
  });
});

test("every snippet is of a chart", () => {
  const [, values = ""] = PAGE.split("## Values for common charts");
  const headings = [...values.matchAll(/^### (.+)$/gm)].map(([, heading = ""]) => heading);
  const named = new Set(CHARTS.flatMap(({ name }) => headings.filter((heading) => isAbout(heading, name))));
  expect(headings.filter((heading) => !named.has(heading))).toEqual(["What each chart sets"]);
});

test("the arguments that it adds for aws-ebs are taken, and the kubelet then outlives the probe", async () => {
  const [chart] = CHARTS;
  const [, added = ""] = /`sidecars\.livenessProbe\.additionalArgs: \[([^\]]+)\]`/.exec(PAGE) ?? [];
  const { probeTimeoutMs, endpoints } = await readServeFlags([...(chart?.args ?? []), ...added.split(", ")]);
  expect(probeTimeoutMs).toBeLessThan((chart?.timeoutSeconds ?? 0) * 1_000);
  expect(endpoints).toMatchObject([{ listener: { port: 9808 }, probes: true, metricsPath: "/metrics" }]);
});

test("the command that replaces grpc_health_probe probes the same socket for as long", async () => {
  const [, words = ""] = /command: \[livenessprobe, check, ([^\]]+)\]/.exec(PAGE) ?? [];
  const options = readCheckOptions(await readFlags("check", CHECK_ARGS, words.split(", ")));
  expect(options).toMatchObject({ target: { socketPath: "/csi/csi.sock" }, probeTimeoutMs: 2_000 });
});

const promtool = await findPromtool();

// Two pods in an hour: the Go sidecar's, where nothing fails, and ours, where one probe in four does.
test.if(promtool !== undefined)("each query compares the image of a pod with that of another", async () => {
  const [failed = "", restarts = "", errors = "", slowest = "", ...more] = [
    ...PAGE.matchAll(/```promql\n([^`]+)```/g),
  ].map(([, query = ""]) => query);
  expect(more).toEqual([]);
  const ours = `{image_spec="${IMAGE}"}`;
  const queries: readonly (readonly [string, readonly Sample[]])[] = [
    [failed, [{ labels: ours, value: 0.25 }]],
    [
      restarts,
      [
        { labels: ours, value: 2 },
        { labels: GO, value: 0 },
      ],
    ],
    [errors, [{ labels: ours, value: 0.25 }]],
    [
      `round(${slowest}, 0.001)`,
      [
        { labels: ours, value: 0.1 },
        { labels: GO, value: 0.1 },
      ],
    ],
  ];
  using directory = temporaryDirectory();
  const path = join(directory.path, "adopting.test.yaml");
  writeFileSync(
    path,
    JSON.stringify({
      evaluation_interval: "1m",
      tests: [
        {
          interval: "1m",
          input_series: [...seriesOf("go", "go-livenessprobe:v2.19.0", 0), ...seriesOf("ours", IMAGE, 1)],
          promql_expr_test: queries.map(([expr, exp_samples]) => ({ expr, eval_time: "1h", exp_samples })),
        },
      ],
    }),
  );
  const { code, stdout, stderr } = await runToEnd([promtool ?? "", "test", "rules", path]);
  expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
});

interface Sample {
  readonly labels: string;
  readonly value: number;
}

const GO = '{image_spec="go-livenessprobe:v2.19.0"}';

/** The metrics of a pod, of which one probe in four fails if `failing` is 1. */
function seriesOf(pod: string, image: string, failing: 0 | 1) {
  const target = `namespace="csi", pod="${pod}"`;
  const kubelet = `prober_probe_total{${target}, container="driver", probe_type="Liveness"`;
  const probe = `${target}, method_name="/csi.v1.Identity/Probe", driver_name="a.csi.example"`;
  const count = (labels: string) => `csi_sidecar_operations_seconds_count{${probe}, ${labels}}`;
  const bucket = (le: string) => `csi_sidecar_operations_seconds_bucket{${probe}, grpc_status_code="OK", le="${le}"}`;
  return [
    [`kube_pod_container_info{${target}, container="liveness-probe", image_spec="${image}"}`, "1x60"],
    [`kube_pod_container_info{${target}, container="driver", image_spec="driver:v1"}`, "1x60"],
    [`${kubelet}, result="successful"}`, "0+3x60"],
    ...(failing === 1 ? [[`${kubelet}, result="failed"}`, "0+1x60"]] : []),
    // The increase of an hour is extrapolated by a sixtieth at most.
    [`kube_pod_container_status_restarts_total{${target}, container="driver"}`, failing === 1 ? "0x29 2x30" : "0x60"],
    [count('grpc_status_code="OK"'), "0+3x60"],
    ...(failing === 1 ? [[count('grpc_status_code="DeadlineExceeded"'), "0+1x60"]] : []),
    [bucket("0.1"), "0+198x60"],
    [bucket("0.25"), "0+200x60"],
    [bucket("+Inf"), "0+200x60"],
  ].map(([series, values]) => ({ series, values }));
}

/** The values below the heading that names the chart. */
function snippetOf(name: string): ChartValues {
  const [section = ""] = PAGE.split(/^### /m).filter((part) => isAbout(part.split("\n")[0] ?? "", name));
  const [, yaml = ""] = /```yaml\n([^`]+)```/.exec(section) ?? [];
  // The page's own values: maps and texts.
  return Bun.YAML.parse(yaml) as ChartValues;
}

function isAbout(heading: string, name: string): boolean {
  return heading.split(", ").includes(name);
}

/** The cells of the chart's row in the table of what each chart sets. */
function rowOf(chart: string): readonly string[] {
  const [, table = ""] = PAGE.split("### What each chart sets");
  const row = table.split("\n").find((line) => line.startsWith(`| ${chart} `)) ?? "";
  return row
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** Each text with its path, such as `image.csi.livenessProbe.tag`. */
function leavesOf(values: ChartValues, prefix = ""): readonly (readonly [string, string])[] {
  return Object.entries(values).flatMap(([key, value]) =>
    typeof value === "string" ? [[`${prefix}${key}`, value] as const] : leavesOf(value, `${prefix}${key}.`),
  );
}

function valueAt(values: ChartValues, path: string): string | undefined {
  return new Map(leavesOf(values)).get(path);
}
