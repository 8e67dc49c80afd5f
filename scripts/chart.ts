import { copyFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { runCommand } from "./command";
import { run, runProgram } from "./run";
import { tool } from "./tools/tool";

const ROOT = join(import.meta.dirname, "..");
export const CHART = join(ROOT, "deploy/chart/csi-node-monitor");
const EXAMPLE = join(ROOT, "deploy/examples/monitor");
/** The alerts and recording rules in the chart's `files`, and in the example as they are. */
export const RULE_FILES = ["alerts.yaml", "recording.yaml"] as const;
const NAME = "csi-node-monitor";

const HEAD = `# One process on each node watches every CSI driver there: kubectl apply -k deploy/examples/monitor
# Written by \`bun run chart\` from deploy/chart/csi-node-monitor.
apiVersion: v1
kind: Namespace
metadata:
  name: ${NAME}
  labels:
    # hostPath needs it.
    pod-security.kubernetes.io/enforce: privileged
`;

/** What Helm makes of the chart, as YAML. `args` are more of Helm's, such as `--set`. */
export async function renderChart(args: readonly string[] = []): Promise<string> {
  const helm = await tool("helm");
  const rendered = await runProgram(helm, ["template", NAME, CHART, "--namespace", NAME, ...args]);
  return `${rendered.replace(/^# Source: .*\n/gm, "")}\n`;
}

/** The manifests of deploy/examples/monitor: those of the chart in a namespace that allows them. */
export async function renderExample(): Promise<string> {
  return HEAD + (await renderChart());
}

async function writeExample(): Promise<void> {
  const manifests = join(EXAMPLE, "daemonset.yaml");
  writeFileSync(manifests, await renderExample());
  await run([process.execPath, "fmt", "--no-script", relative(ROOT, manifests)], { cwd: ROOT });
  for (const name of RULE_FILES) copyFileSync(join(CHART, "files", name), join(EXAMPLE, name));
}

if (import.meta.main)
  await runCommand({
    name: "bun run chart",
    about:
      "Writes deploy/examples/monitor from deploy/chart/csi-node-monitor: its manifests by default, and its rules.",
    flags: {},
    run: writeExample,
  });
