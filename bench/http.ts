import { type Cleanup, createCleanup } from "./cleanup";
import { firstReadyMs, launch } from "./launch";
import { load } from "./memory";
import { cpuMsOf, memoryOf } from "./proc";
import { type Program, compileVariant } from "./programs";
import { renderTable, spread } from "./table";

/** Small programs of `bench/http/` that answer `ok`, compiled alike: what reading HTTP costs in each way there is. */
const VARIANTS = [
  ["ours", "src/http/server.ts"],
  ["bun-serve", "Bun.serve"],
  ["node-http", "node:http"],
  ["bun-listen", "Bun.listen, answering without reading"],
] as const;

const ROUNDS = 3;
const REQUESTS = 3_000;
const REST_MS = 2_000;
const START_BOUND_MS = 20_000;

interface Cost {
  readonly cpuMs: number;
  readonly idleMib: number;
  readonly loadedMib: number;
}

async function main(): Promise<void> {
  using cleanup = createCleanup();
  const directory = cleanup.directory();
  const variants: { readonly name: string; readonly program: Program; readonly costs: Cost[] }[] = [];
  // oxlint-disable no-await-in-loop -- one at a time, or they would measure each other
  for (const [file, name] of VARIANTS) {
    variants.push({ name, program: await compileVariant(file, directory.path), costs: [] });
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { program, costs } of variants) costs.push(await costOf(program, cleanup));
  }
  // oxlint-enable no-await-in-loop
  const headers = [`${REQUESTS} requests`, "CPU a request, ms", "anonymous idle, MiB", "anonymous after, MiB"];
  const rows = variants.map(({ name, costs }) => [
    name,
    spread(
      costs.map(({ cpuMs }) => cpuMs),
      3,
    ),
    spread(
      costs.map(({ idleMib }) => idleMib),
      1,
    ),
    spread(
      costs.map(({ loadedMib }) => loadedMib),
      1,
    ),
  ]);
  console.log(renderTable(headers, rows));
}

async function costOf(program: Program, cleanup: Cleanup): Promise<Cost> {
  await using running = await launch(program, { csiAddress: "/none", cleanup });
  if ((await firstReadyMs(running, START_BOUND_MS)) === undefined) throw new Error(`${program.label} does not answer`);
  const idleMib = memoryOf(running.pid).anonymousMib;
  const before = cpuMsOf(running.pid);
  await load(running, 1, { kind: "requests", count: REQUESTS });
  const cpuMs = (cpuMsOf(running.pid) - before) / REQUESTS;
  await Bun.sleep(REST_MS);
  return { cpuMs, idleMib, loadedMib: memoryOf(running.pid).anonymousMib };
}

await main();
