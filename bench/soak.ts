import { readdirSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { HOSTILE, type HostileName } from "../test/support/hostile-behaviours";
import { startHostileDriver } from "../test/support/hostile-driver";
import { createCleanup } from "./cleanup";
import { startReadyDriver } from "./driver";
import { type Running, firstReadyMs, launch } from "./launch";
import { type LoadResult, ask } from "./load";
import { memoryOf } from "./proc";
import { prepareOurs } from "./programs";
import { renderTable } from "./table";

const USAGE = `Usage: bun run bench:soak [--probes N] [--hostile N] [--rest SECONDS] [--ours PATH]
Probes a good driver, and then each kind of bad one, and prints how the sidecar's memory and descriptors drift.
  --probes N      of the good driver; 200000
  --hostile N     of each bad driver; 2000
  --rest SECONDS  before each look; 5. With less than 3, garbage that is not collected yet counts
  --ours PATH     soak this executable instead of building one`;

const { values: flags } = parseArgs({
  options: {
    probes: { type: "string", default: "200000" },
    hostile: { type: "string", default: "2000" },
    rest: { type: "string", default: "5" },
    ours: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

/** Many bad drivers make each probe take all of it. */
const PROBE_TIMEOUT_MS = 50;
/** Probes after which the sidecar is taken to be as large as it should be. */
const SETTLED = 2_000;
const START_BOUND_MS = 20_000;

interface Look {
  readonly after: string;
  readonly statuses: string;
  readonly anonymousMib: number;
  readonly fds: number;
}

async function main(): Promise<void> {
  using cleanup = createCleanup();
  const directory = cleanup.directory();
  const ours = await prepareOurs(directory.path, flags.ours);
  const goodSocket = join(directory.path, "csi.sock");
  // The sidecar keeps its one address; a link decides which driver is behind it.
  const csiAddress = join(directory.path, "current.sock");
  symlinkSync(goodSocket, csiAddress);
  await startReadyDriver(goodSocket, cleanup);
  await using sidecar = await launch(ours, {
    csiAddress,
    flags: [`--probe-timeout=${PROBE_TIMEOUT_MS}ms`],
    cleanup,
  });
  if ((await firstReadyMs(sidecar, START_BOUND_MS)) === undefined) throw new Error("the sidecar does not answer 200");

  const settled = await look(sidecar, `${SETTLED} good probes`, SETTLED);
  const looks = [settled, await look(sidecar, `${flags.probes} good probes`, Number(flags.probes))];
  // `HOSTILE` is an object literal: its keys are its names.
  for (const name of Object.keys(HOSTILE) as HostileName[]) {
    // oxlint-disable no-await-in-loop -- one driver at a time is behind the address
    await using hostile = await startHostileDriver(name);
    pointTo(csiAddress, hostile.socketPath);
    looks.push(await look(sidecar, `${flags.hostile} x ${name}`, Number(flags.hostile)));
    // oxlint-enable no-await-in-loop
  }
  pointTo(csiAddress, goodSocket);
  looks.push(await look(sidecar, `${SETTLED} good probes at the end`, SETTLED));
  print(settled, looks);
}

async function look(sidecar: Running, after: string, count: number): Promise<Look> {
  console.error(`${after} ...`);
  const until = { kind: "requests", count } as const;
  const result = await ask({ port: sidecar.port, callers: 1, connections: "fresh", until, warmUp: count });
  await Bun.sleep(Number(flags.rest) * 1_000);
  const { anonymousMib } = memoryOf(sidecar.pid);
  return { after, statuses: statusText(result), anonymousMib, fds: readdirSync(`/proc/${sidecar.pid}/fd`).length };
}

function pointTo(link: string, socket: string): void {
  unlinkSync(link);
  symlinkSync(socket, link);
}

function statusText({ statuses }: LoadResult): string {
  return Object.entries(statuses)
    .map(([status, count]) => `${count} x ${status}`)
    .join(", ");
}

function print(settled: Look, looks: readonly Look[]): void {
  const headers = ["after", "answers", "anonymous, MiB", "drift, MiB", "fds", "drift"];
  const rows = looks.map(({ after, statuses, anonymousMib, fds }) => [
    after,
    statuses,
    anonymousMib.toFixed(1),
    signed(anonymousMib - settled.anonymousMib, 1),
    String(fds),
    signed(fds - settled.fds, 0),
  ]);
  console.log(renderTable(headers, rows));
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? "" : "+"}${value.toFixed(digits)}`;
}

if (flags.help) console.log(USAGE);
else await main();
