import { availableParallelism } from "node:os";
import { type Bench, CALLERS, type Reading, figuresOf, takeTurns } from "./bench";
import { type Running, firstReadyMs, launch } from "./launch";
import type { LoadResult } from "./load";
import { type LoadOptions, load } from "./memory";
import { activityOf, cpuMsOf } from "./proc";
import type { Program } from "./programs";
import { median, percentile } from "./statistics";
import type { Section } from "./table";

const START_BOUND_MS = 20_000;
const PROBES_AN_HOUR = 1_800;

/** Measures how fast a program starts and answers, and what CPU time it takes to answer and to wait. */
export async function measureTime(bench: Bench): Promise<Section> {
  const starts = await takeTurns(bench, bench.scale.starts, (program) => measureStart(bench, program));
  const bareStarts: Reading<"start">[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
  for (let at = 0; at < bench.scale.starts; at += 1) bareStarts.push(await measureStart(bench, bench.bare));
  let askerCpu = 0;
  const answers = await takeTurns(bench, bench.scale.rounds, async (program) => {
    const reading = await measureAnswers(bench, program);
    askerCpu = Math.max(askerCpu, reading.askerCpu);
    return reading;
  });
  const [idleOurs, idleBaseline, idleBare] = await Promise.all(
    [bench.ours, bench.baseline, bench.bare].map((program) => measureIdle(bench, program)),
  );
  const figures = [
    ...figuresOf([{ key: "start", name: "start to first 200, warm", unit: "ms", digits: 1 }], {
      ...starts,
      bare: bareStarts,
    }),
    ...figuresOf(ANSWERS, answers),
    ...figuresOf(IDLE, {
      ours: hourly(idleOurs ?? [], answers.ours),
      baseline: hourly(idleBaseline ?? [], answers.baseline),
      bare: idleBare ?? [],
    }),
  ];
  return { title: "time", figures, notes: [note(askerCpu)] };
}

const ANSWERS = [
  { key: "p50", name: "one caller, p50", unit: "ms", digits: 2 },
  { key: "p99", name: "one caller, p99", unit: "ms", digits: 2 },
  { key: "cpu", name: "CPU per probe, one caller", unit: "ms", digits: 2 },
  { key: "rate", name: `${CALLERS} callers, answers per second`, unit: "", digits: 0 },
  { key: "p99 of many", name: `${CALLERS} callers, p99`, unit: "ms", digits: 1 },
  { key: "cpu of many", name: `CPU per answer, ${CALLERS} callers`, unit: "ms", digits: 3 },
  { key: "rate of kept", name: `${CALLERS} kept connections, answers per second`, unit: "", digits: 0 },
  { key: "p99 of kept", name: `${CALLERS} kept connections, p99`, unit: "ms", digits: 1 },
  { key: "cpu of kept", name: `CPU per answer, ${CALLERS} kept connections`, unit: "ms", digits: 3 },
] as const;

const IDLE = [
  { key: "idle cpu", name: "idle, CPU in 10 s", unit: "ms", digits: 2 },
  { key: "wake-ups", name: "idle, wake-ups in 10 s", unit: "", digits: 0 },
  { key: "hourly", name: "CPU per hour, one probe every 2 s", unit: "s", digits: 2 },
] as const;

function note(askerCpu: number): string {
  const cores = `Warm page cache, nothing pinned to any of ${availableParallelism()} cores`;
  const asker = `a process that asks took at most ${Math.round(askerCpu * 100)} % of one core`;
  return `${cores}; ${asker}. CPU per hour is computed from the idle CPU and the CPU per probe.`;
}

async function measureStart({ csiAddress, cleanup }: Bench, program: Program): Promise<Reading<"start">> {
  await using running = await launch(program, { csiAddress, cleanup });
  const start = await firstReadyMs(running, START_BOUND_MS);
  return start === undefined ? {} : { start };
}

async function measureAnswers({ csiAddress, cleanup, scale }: Bench, program: Program) {
  await using running = await launch(program, { csiAddress, cleanup });
  await firstReadyMs(running, START_BOUND_MS);
  const warmUp = Math.ceil(scale.oneCallerProbes / 10);

  const callers = {
    callers: CALLERS,
    until: { kind: "seconds", seconds: scale.manyCallersSeconds },
    warmUp: CALLERS,
  } as const;
  const count = scale.oneCallerProbes + warmUp;
  const one = await loadAndCpu(running, { callers: 1, until: { kind: "requests", count }, warmUp });
  const many = await loadAndCpu(running, callers);
  const kept = await loadAndCpu(running, { ...callers, connections: "kept" });
  return {
    p50: median(one.times),
    p99: percentile(one.times, 0.99),
    cpu: one.cpuMs,
    rate: many.requests / (many.elapsedMs / 1_000),
    "p99 of many": percentile(many.times, 0.99),
    "cpu of many": many.cpuMs,
    "rate of kept": kept.requests / (kept.elapsedMs / 1_000),
    "p99 of kept": percentile(kept.times, 0.99),
    "cpu of kept": kept.cpuMs,
    askerCpu: Math.max(one.askerCpu, many.askerCpu, kept.askerCpu),
  };
}

/** Asks a program, and measures the CPU time that it takes for each answer. */
async function loadAndCpu(running: Running, options: LoadOptions): Promise<LoadResult & { readonly cpuMs: number }> {
  const beforeMs = cpuMsOf(running.pid);
  const result = await load(running, options);
  return { ...result, cpuMs: (cpuMsOf(running.pid) - beforeMs) / result.requests };
}

/** Two windows of an idle program that has answered a little, begun when what that left to do is done. */
async function measureIdle({ csiAddress, cleanup, scale }: Bench, program: Program | undefined) {
  if (program === undefined) return [];
  await using running = await launch(program, { csiAddress, cleanup });
  await firstReadyMs(running, START_BOUND_MS);
  await load(running, { callers: 1, until: { kind: "requests", count: 100 } });
  await Bun.sleep(scale.restMs);
  const windows = [await activityOf(running.pid, scale.idleMs), await activityOf(running.pid, scale.idleMs)];
  const share = 10_000 / scale.idleMs;
  return windows.map(({ cpuMs, wakeUps }) => ({ "idle cpu": cpuMs * share, "wake-ups": wakeUps * share }));
}

function hourly(idle: readonly Reading<"idle cpu" | "wake-ups">[], answers: readonly Reading<"cpu">[]) {
  const cpuMs = median(answers.flatMap(({ cpu }) => cpu ?? []));
  return idle.map((reading) => ({
    ...reading,
    hourly: ((reading["idle cpu"] ?? Number.NaN) * 360 + cpuMs * PROBES_AN_HOUR) / 1_000,
  }));
}
