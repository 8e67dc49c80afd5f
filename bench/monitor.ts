import { mkdirSync } from "node:fs";
import { freePort } from "../test/support/tcp-client";
import { createCleanup, type Cleanup } from "./cleanup";
import { startReadyDriver } from "./driver";
import { firstReadyMs, launch, type Running } from "./launch";
import { once } from "./once";
import { cpuMsOf, memoryOf } from "./proc";
import { prepareBaseline, prepareOurs, type Program } from "./programs";
import { median } from "./statistics";
import { renderTable } from "./table";

/**
 * What `monitor` costs beside one Go sidecar for each of the same drivers: `bun bench/monitor.ts [PATH of ours]`.
 *
 * An hour's worth of probes at `--interval=30s`, made at 5 s: 40 minutes. `ROUNDS=12` makes a tenth of them.
 */
const DRIVERS = [10, 60] as const;
const INTERVAL_MS = 5_000;
const USUAL_INTERVAL_MS = 30_000;
const ROUNDS = Number(process.env["ROUNDS"] ?? 120);
const SCRAPES = 50;
const START_BOUND_MS = 20_000;

interface Cost {
  readonly anonymousMib: number;
  readonly cpuMs: number;
}

async function main(): Promise<void> {
  using cleanup = createCleanup();
  const directory = cleanup.directory().path;
  const ours = await prepareOurs(directory, process.argv[2]);
  const baseline = await prepareBaseline(process.env["PEER"]);
  const rows: string[][] = [];
  for (const count of DRIVERS) {
    const kubeletDir = `${directory}/kubelet-${count}`;
    // oxlint-disable no-await-in-loop -- one after the other, or they would measure each other
    const sockets = await startDrivers(kubeletDir, count, cleanup);
    const { cost, scrapeMs } = await measureMonitor(ours, kubeletDir, cleanup);
    rows.push([`monitor, ${count} drivers`, ...cells(cost), scrapeMs.toFixed(1)]);
    if (baseline.kind === "missing") continue;
    const sidecars = await measureSidecars(baseline.program, sockets, cleanup);
    rows.push([`${count} x ${baseline.program.label}`, ...cells(sidecars), "-"]);
    // oxlint-enable no-await-in-loop
  }
  console.log(renderTable(["", "anonymous, MiB", "of a core at 30 s", "scrape, ms"], rows));
  console.log(`\n${ROUNDS} probes of each driver, ${INTERVAL_MS / 1_000} s apart; the median of ${SCRAPES} scrapes.`);
}

function cells({ anonymousMib, cpuMs }: Cost): readonly string[] {
  return [anonymousMib.toFixed(1), `${((100 * cpuMs) / (ROUNDS * USUAL_INTERVAL_MS)).toFixed(2)} %`];
}

async function startDrivers(kubeletDir: string, count: number, cleanup: Cleanup): Promise<readonly string[]> {
  const sockets = Array.from({ length: count }, (_, at) => `${kubeletDir}/plugins/driver-${at}.csi/csi.sock`);
  for (const socket of sockets) {
    mkdirSync(socket.slice(0, socket.lastIndexOf("/")), { recursive: true });
    // oxlint-disable-next-line no-await-in-loop -- a machine with two cores starts no more
    await startReadyDriver(socket, cleanup);
  }
  return sockets;
}

async function measureMonitor(ours: Program, kubeletDir: string, cleanup: Cleanup) {
  const url = `http://127.0.0.1:${await freePort()}`;
  const flags = [`--kubelet-dir=${kubeletDir}`, `--interval=${INTERVAL_MS}ms`, `--http-endpoint=${new URL(url).host}`];
  const child = Bun.spawn([ours.path, "monitor", ...flags], { env: ours.env, stdout: "ignore", stderr: "ignore" });
  using _ = cleanup.add(() => child.kill("SIGKILL"));
  // oxlint-disable-next-line no-await-in-loop
  while ((await fetch(`${url}/readyz`).catch(() => undefined))?.status !== 200) await Bun.sleep(50);
  const beforeMs = cpuMsOf(child.pid);
  await Bun.sleep(ROUNDS * INTERVAL_MS);
  const cost = { anonymousMib: memoryOf(child.pid).anonymousMib, cpuMs: cpuMsOf(child.pid) - beforeMs };
  const scrapes: number[] = [];
  for (let at = 0; at < SCRAPES; at += 1) {
    const begun = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await (await fetch(`${url}/metrics`)).text();
    scrapes.push(performance.now() - begun);
  }
  return { cost, scrapeMs: median(scrapes) };
}

async function measureSidecars(baseline: Program, sockets: readonly string[], cleanup: Cleanup): Promise<Cost> {
  await using all = new AsyncDisposableStack();
  const sidecars: Running[] = [];
  for (const csiAddress of sockets) {
    // oxlint-disable no-await-in-loop -- a machine with two cores starts no more
    const sidecar = all.use(await launch(baseline, { csiAddress, cleanup }));
    await firstReadyMs(sidecar, START_BOUND_MS);
    sidecars.push(sidecar);
    // oxlint-enable no-await-in-loop
  }
  const cpuMs = () => sidecars.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0);
  const beforeMs = cpuMs();
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now();
    // oxlint-disable no-await-in-loop -- as the kubelet asks
    for (const { port } of sidecars) await once(port);
    await Bun.sleep(Math.max(0, begun + INTERVAL_MS - performance.now()));
    // oxlint-enable no-await-in-loop
  }
  const anonymousMib = sidecars.reduce((sum, { pid }) => sum + memoryOf(pid).anonymousMib, 0);
  return { anonymousMib, cpuMs: cpuMs() - beforeMs };
}

await main();
process.exit();
