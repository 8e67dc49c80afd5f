import { availableParallelism } from "node:os";
import { type Bench, figuresOf, takeTurns } from "./bench";
import { type MemoryController, findMemoryController } from "./cgroup";
import { type Disk, openDisk } from "./disk";
import { bounded, firstReadyMs, launchConfined } from "./launch";
import { placeNote } from "./memory";
import type { Program } from "./programs";
import { lowest } from "./search";
import type { Section } from "./table";

const TITLE = "lowest memory limit";
const FIRST_BOUND_MS = 2_000;
const LATER_BOUND_MS = 100;
const PAUSE_MS = 500;
const RANGE_MIB = { from: 2, to: 66 } as const;

/** Searches the lowest memory limit under which a program starts and answers in time. */
export async function measureLimits(bench: Bench): Promise<Section> {
  const controller = findMemoryController(bench.cleanup);
  if (controller.kind === "missing") return { title: TITLE, figures: [], notes: [`Not measured: ${controller.why}.`] };

  let own: Disk["own"] | undefined;
  const search = (cache: "cold" | "warm") => async (program: Program) => {
    using disk = openDisk(program, bench.cleanup);
    own ??= disk.own;
    const found = await searchLimit(bench, disk, cache, controller);
    return found === undefined ? {} : { [cache]: found };
  };
  const searches = [() => takeTurns(bench, 1, search("cold"), true), () => takeTurns(bench, 1, search("warm"), true)];
  const [cold, warm] = await together(searches);
  const figures = [
    ...figuresOf([{ key: "cold", name: "cold page cache", unit: "MiB", digits: 0 }], cold ?? NONE),
    ...figuresOf([{ key: "warm", name: "warm page cache", unit: "MiB", digits: 0 }], warm ?? NONE),
  ];
  const { searchProbes, confirmProbes, limitStepMib } = bench.scale;
  const rule = `The first 200 within ${FIRST_BOUND_MS / 1_000} s and then each probe, ${PAUSE_MS / 1_000} s apart, within ${LATER_BOUND_MS} ms`;
  const how = `searched with ${searchProbes} probes in steps of ${limitStepMib} MiB, confirmed with ${confirmProbes}; cgroup v${controller.version}`;
  return { title: TITLE, figures, notes: [`${rule}; ${how}. ${placeNote(own)}`] };
}

const NONE = { ours: [], baseline: [] };

/** At the same time where there are cores for it: a program that is short of memory keeps one busy. */
async function together<Value>(tasks: readonly (() => Promise<Value>)[]): Promise<readonly Value[]> {
  if (availableParallelism() >= 4) return Promise.all(tasks.map((task) => task()));
  const values: Value[] = [];
  // oxlint-disable-next-line no-await-in-loop
  for (const task of tasks) values.push(await task());
  return values;
}

function searchLimit(
  bench: Bench,
  disk: Disk,
  cache: "cold" | "warm",
  controller: Extract<MemoryController, { readonly kind: "available" }>,
): Promise<number | undefined> {
  const { searchProbes, confirmProbes, limitStepMib } = bench.scale;
  const lives = async (limitMib: number, probes: number): Promise<boolean> => {
    // The program's path is unlike any other's of this run, so that groups are.
    const name = `${disk.program.path.replaceAll("/", "-")}-${limitMib}`;
    using group = controller.create(name, limitMib);
    const prepare = async (): Promise<void> => (cache === "cold" ? disk.evict() : disk.warm());
    const confinement = { cgroups: [group.directory], overlays: disk.overlays, beforeExec: prepare };
    await using program = await launchConfined(disk.program, confinement, bench);
    if ((await firstReadyMs(program, FIRST_BOUND_MS)) === undefined) return false;
    for (let probe = 0; probe < probes; probe += 1) {
      // oxlint-disable no-await-in-loop -- one after the other is the point
      await Bun.sleep(PAUSE_MS);
      if ((await bounded(program.port, LATER_BOUND_MS)) !== 200) return false;
      // oxlint-enable no-await-in-loop
    }
    return true;
  };
  return lowest({
    ...RANGE_MIB,
    step: limitStepMib,
    holds: (limitMib) => lives(limitMib, searchProbes),
    confirms: (limitMib) => lives(limitMib, confirmProbes),
  });
}
