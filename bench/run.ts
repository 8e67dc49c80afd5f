import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import type { Bench } from "./bench";
import { createCleanup } from "./cleanup";
import { startReadyDriver } from "./driver";
import { measureLimits } from "./limit";
import { measureMemory } from "./memory";
import { type Baseline, compileProgram, prepareBaseline, prepareOurs } from "./programs";
import { FULL, QUICK } from "./scale";
import { measureSize } from "./size";
import { type Report, type Section, renderSection } from "./table";
import { measureTime } from "./time";

const PARTS = { memory: measureMemory, limit: measureLimits, time: measureTime, size: measureSize } as const;

const USAGE = `Usage: bun run bench [--quick] [--json] [--only ${Object.keys(PARTS).join("|")}]... [--ours PATH]
Measures dist/livenessprobe, which it builds, next to a Go sidecar, or next to the executable PEER of the environment.
  --quick      fewer probes and shorter rests: two minutes instead of ten
  --json       all samples as JSON instead of tables of medians
  --only PART  this part alone; may be given more than once
  --no-image-env  without the environment that an image sets (apko.yaml)
  --ours PATH  measure this executable instead of building one`;

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: Object.keys(PARTS) },
    ours: { type: "string" },
    "no-image-env": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
  const startedMs = performance.now();
  using cleanup = createCleanup();
  const directory = cleanup.directory();

  say("Building");
  const imaged = await prepareOurs(directory.path, flags.ours);
  const ours = flags["no-image-env"] ? { ...imaged, env: {} } : imaged;
  const baseline = await prepareBaseline(process.env["PEER"]);
  const bare = await compileProgram("bare-probe", directory.path);
  if (baseline.kind === "missing") say(`There is no baseline: ${baseline.why}. Measuring ours alone`);
  const csiAddress = join(directory.path, "csi.sock");
  using driver = await startReadyDriver(csiAddress, cleanup);
  const bench: Bench = {
    ours,
    baseline: baseline.kind === "there" ? baseline.program : undefined,
    bare,
    csiAddress,
    scale: flags.quick ? QUICK : FULL,
    cleanup,
  };
  const sections: Section[] = [];
  for (const [part, measure] of Object.entries(PARTS).filter(([name]) => flags.only.includes(name))) {
    say(`Measuring ${part}`);
    // oxlint-disable-next-line no-await-in-loop -- one at a time, or they would measure each other
    const section = await measure(bench);
    sections.push(section);
    if (!flags.json) console.log(`${renderSection(section, bench.baseline?.label)}\n`);
  }
  const about = aboutThis(baseline, driver.implementation, performance.now() - startedMs);
  const report: Report = { ...(bench.baseline && { baseline: bench.baseline.label }), about, sections };
  console.log(flags.json ? JSON.stringify(report, undefined, 2) : about.map((line) => `- ${line}`).join("\n"));
}

function aboutThis(baseline: Baseline, driver: string, elapsedMs: number): readonly string[] {
  const { length: cores, 0: cpu } = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return [
    `${cores} cores of ${cpu?.model.trim() ?? "an unknown CPU"}, ${memory}, Linux ${release()}, ${process.arch}.`,
    `livenessprobe ${packageJson.version} on Bun ${Bun.version}, ${flags["no-image-env"] ? "in an empty environment" : "in the environment of its image"}; the driver is on ${driver}.`,
    ...(baseline.kind === "missing" ? [`There is no baseline: ${baseline.why}. Ours was measured alone.`] : []),
    `Median (smallest-largest); a ratio is ours to the baseline's, pair by pair. ${flags.quick ? "Quick run. " : ""}Took ${Math.round(elapsedMs / 1_000)} s.`,
  ];
}

function say(what: string): void {
  console.error(`${what} ...`);
}

if (flags.help) console.log(USAGE);
else await main();
