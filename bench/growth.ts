import { createCleanup, type Cleanup } from "./cleanup";
import { startReadyDriver } from "./driver";
import { firstReadyMs, launch } from "./launch";
import { load } from "./memory";
import { cpuMsOf, memoryOf } from "./proc";
import { type Program, prepareOurs, prepareBaseline } from "./programs";
import { percentile } from "./statistics";
import { renderTable } from "./table";

/** How cost grows with callers and with the time a driver takes: `bun bench/growth.ts [PATH of ours]`. */
const CALLERS = [1, 50, 500] as const;
const DELAYS_MS = [0, 100, 1_000] as const;
const SECONDS = 5;
const LOOK_MS = 100;
const START_BOUND_MS = 20_000;

interface Cost {
  /** The most that was seen under load. */
  readonly anonymousMib: number;
  readonly cpuMsASecond: number;
  readonly p99Ms: number;
}

async function main(): Promise<void> {
  using cleanup = createCleanup();
  const directory = cleanup.directory();
  const given = process.argv[2];
  const ours = await prepareOurs(directory.path, given);
  const baseline = await prepareBaseline(process.env["PEER"]);
  const programs = baseline.kind === "there" ? [ours, baseline.program] : [ours];
  const rows: string[][] = [];
  // oxlint-disable no-await-in-loop -- one at a time, or they would measure each other
  for (const delayMs of DELAYS_MS) {
    const csiAddress = `${directory.path}/${delayMs}.sock`;
    using driver = await startReadyDriver(csiAddress, cleanup, `slow ${delayMs}`);
    for (const callers of CALLERS) {
      const costs: Cost[] = [];
      for (const program of programs) costs.push(await costOf(program, csiAddress, callers, cleanup));
      const pair = (of: (cost: Cost) => string): string => costs.map(of).join(" / ");
      rows.push([
        `${delayMs} ms (${driver.implementation})`,
        String(callers),
        pair(({ anonymousMib }) => anonymousMib.toFixed(1)),
        pair(({ cpuMsASecond }) => cpuMsASecond.toFixed(0)),
        pair(({ p99Ms }) => p99Ms.toFixed(0)),
      ]);
    }
  }
  // oxlint-enable no-await-in-loop
  const headers = ["the driver takes", "callers", "anonymous, MiB, most", "CPU, ms a second", "p99, ms"];
  console.log(renderTable(headers, rows));
  console.log(`\n${programs.map(({ label }) => label).join(" / ")}; each caller asks again as soon as it is answered.`);
}

async function costOf(program: Program, csiAddress: string, callers: number, cleanup: Cleanup): Promise<Cost> {
  await using running = await launch(program, { csiAddress, cleanup });
  if ((await firstReadyMs(running, START_BOUND_MS)) === undefined) throw new Error(`${program.label} is not ready`);
  let anonymousMib = 0;
  const looking = setInterval(() => {
    anonymousMib = Math.max(anonymousMib, memoryOf(running.pid).anonymousMib);
  }, LOOK_MS);
  try {
    const before = cpuMsOf(running.pid);
    const { times, elapsedMs } = await load(running, { callers, until: { kind: "seconds", seconds: SECONDS } });
    const cpuMsASecond = ((cpuMsOf(running.pid) - before) / elapsedMs) * 1_000;
    return { anonymousMib, cpuMsASecond, p99Ms: percentile(times, 0.99) };
  } finally {
    clearInterval(looking);
  }
}

await main();
