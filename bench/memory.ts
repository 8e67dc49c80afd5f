import { availableParallelism } from "node:os";
import { type Bench, CALLERS, type FigureName, type Reading, figuresOf, takeTurns } from "./bench";
import { type Disk, READ_AHEAD_KIB, openDisk } from "./disk";
import { type Running, launchConfined } from "./launch";
import { type Load, type LoadResult, ask } from "./load";
import { memoryOf } from "./proc";
import type { Program } from "./programs";
import type { Section } from "./table";

/** Measures memory from a cold start on: at rest, after more and more probes, and after many callers. */
export async function measureMemory(bench: Bench): Promise<Section> {
  const { scale } = bench;
  let disk: Disk["own"] | undefined;
  const measure = async (program: Program): Promise<Reading<string>> => {
    using place = openDisk(program, bench.cleanup);
    disk ??= place.own;
    return await measureLife(bench, place);
  };
  const readings = await takeTurns(bench, availableParallelism() < 4 ? 1 : scale.memoryRuns, measure, true);
  const rest = `each after ${scale.restMs / 1_000} s of rest, both programs side by side`;
  return {
    title: "memory from a cold start",
    figures: figuresOf(names(scale.probeSteps), readings),
    notes: [`One caller, ${rest}; then ${CALLERS} callers for ${scale.manyCallersSeconds} s. ${placeNote(disk)}`],
  };
}

/** Where the programs were started from. */
export function placeNote(disk: Disk["own"] | undefined): string {
  switch (disk?.kind) {
    case undefined:
      return "";
    case "yes":
      return `Each on an ext4 image of its own with read_ahead_kb=${READ_AHEAD_KIB}, with libraries of its own, evicted from the page cache before a cold start.`;
    case "no":
      return `Started from this machine's own file system, whatever its read-ahead is, since ${disk.why}; RSS and cold limits depend on it.`;
  }
  return disk satisfies never;
}

async function measureLife({ csiAddress, cleanup, scale }: Bench, disk: Disk): Promise<Reading<string>> {
  const confinement = { cgroups: [], overlays: disk.overlays, beforeExec: async () => disk.evict() };
  await using program = await launchConfined(disk.program, confinement, { csiAddress, cleanup });
  const reading: Record<string, number> = {};
  const rest = async (state: string): Promise<void> => {
    await Bun.sleep(scale.restMs);
    const { residentMib, anonymousMib } = memoryOf(program.pid);
    reading[`rss ${state}`] = residentMib;
    reading[`anon ${state}`] = anonymousMib;
  };
  await rest("idle");
  let probes = 0;
  for (const step of scale.probeSteps) {
    // oxlint-disable no-await-in-loop -- one life, step by step
    await load(program, { callers: 1, until: { kind: "requests", count: step - probes } });
    await rest(String(step));
    // oxlint-enable no-await-in-loop
    probes = step;
  }
  await load(program, { callers: CALLERS, until: { kind: "seconds", seconds: scale.manyCallersSeconds } });
  await rest("callers");
  return { ...reading, peak: memoryOf(program.pid).peakMib };
}

export type LoadOptions = Pick<Load, "callers" | "until"> & Partial<Load>;

/**
 * Asks, each request on a connection of its own unless told otherwise.
 *
 * @throws unless every answer is 200: a figure of probes that fail would be a figure of something else
 */
export async function load(program: Running, options: LoadOptions): Promise<LoadResult> {
  const result = await ask({ port: program.port, connections: "fresh", warmUp: 0, ...options });
  if (result.statuses["200"] === result.requests) return result;
  throw new Error(`every answer must be 200, got ${JSON.stringify(result.statuses)}`);
}

function names(steps: readonly number[]): readonly FigureName<string>[] {
  const states = [
    ["idle", "idle"],
    ...steps.map((step) => [String(step), `after ${step.toLocaleString("en-US")} ${step === 1 ? "probe" : "probes"}`]),
    ["callers", `after ${CALLERS} callers`],
  ];
  const mib = { unit: "MiB", digits: 1 };
  return [
    ...states.map(([key, name]) => ({ key: `anon ${key}`, name: `anonymous, ${name}`, ...mib })),
    ...states.map(([key, name]) => ({ key: `rss ${key}`, name: `RSS, ${name}`, ...mib })),
    { key: "peak", name: "RSS, peak of all that", ...mib },
  ];
}
