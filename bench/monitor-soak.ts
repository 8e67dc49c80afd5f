import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { type ControlledDriver, startControlledDriver } from "../test/support/controlled-driver";
import { mulberry32 } from "../test/support/random-messages";
import { freePort } from "../test/support/tcp-client";
import { waitUntil } from "../test/support/wait";
import { createCleanup } from "./cleanup";
import { memoryOf } from "./proc";
import { compileProgram } from "./programs";
import { renderTable } from "./table";

const USAGE = `Usage: bun bench/monitor-soak.ts [--probes N] [--drivers N] [--interval MS] [--seed N]
Watches drivers that come, go, hang, fail and lie, and prints how the monitor's memory and descriptors drift.
  --probes N     in all; 100000
  --drivers N    60
  --interval MS  250: the flag's least is 5 s, and 100,000 probes would take hours. Scans, scrapes and collections
                 of garbage are as frequent among the probes as they are with the real interval.`;

const { values: flags } = parseArgs({
  options: {
    probes: { type: "string", default: "100000" },
    drivers: { type: "string", default: "60" },
    interval: { type: "string", default: "250" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});

/** Looks at the monitor in all. At the first one its incidents are as many as it keeps. */
const LOOKS = 10;
/** How often a driver's behaviour changes, in milliseconds. */
const CHANGE_MS = 50;
/** The least of so many samples counts, for some connections are always open, and some garbage is not collected yet. */
const SAMPLES = 200;
const SAMPLE_MS = 25;

interface Look {
  readonly probes: number;
  readonly anonymousMib: number;
  readonly fds: number;
  readonly incidents: number;
}

async function main(): Promise<void> {
  using cleanup = createCleanup();
  const directory = cleanup.directory().path;
  const random = mulberry32(Number(flags.seed));
  const drivers = Array.from({ length: Number(flags.drivers) }, (_, at) =>
    createActor(`${directory}/plugins`, at, random),
  );
  await Promise.all(drivers.map((driver) => driver.calm()));
  const watch = await compileProgram("monitor-soak-watch", cleanup.directory().path);
  const url = `http://127.0.0.1:${await freePort()}`;
  const words = [directory, flags.interval, new URL(url).host];
  const child = Bun.spawn([watch.path, ...words], { env: watch.env, stdout: "ignore", stderr: "ignore" });
  using _ = cleanup.add(() => child.kill("SIGKILL"));

  await waitUntil(async () => (await fetch(url).catch(() => undefined)) !== undefined, "the monitor");
  const probes = () => drivers.reduce((sum, driver) => sum + driver.probes(), 0);
  const looks: Look[] = [];
  for (let at = 1; at <= LOOKS; at += 1) {
    // oxlint-disable no-await-in-loop -- one after the other
    while (probes() < (Number(flags.probes) * at) / LOOKS) {
      await drivers[Math.floor(random() * drivers.length)]?.change();
      await fetch(`${url}/metrics`).then((response) => response.text());
      await Bun.sleep(CHANGE_MS);
    }
    await Promise.all(drivers.map((driver) => driver.calm()));
    await waitUntil(async () => (await fetch(`${url}/readyz`)).status === 200, "all drivers to be ready");
    looks.push(await look(child.pid, url, probes()));
    console.error(JSON.stringify(looks.at(-1)));
    // oxlint-enable no-await-in-loop
  }
  await Promise.all(drivers.map((driver) => driver.end()));
  print(looks);
}

/** A driver that behaves otherwise from time to time. */
interface Actor {
  /** Does something else: comes or goes, hangs or goes on, fails, calls itself otherwise. */
  change(): Promise<void>;
  /** Is there, and ready. */
  calm(): Promise<void>;
  end(): Promise<void>;
  /** How often it was probed, whatever it did. */
  probes(): number;
}

function createActor(pluginsDir: string, at: number, random: () => number): Actor {
  const name = `driver-${at}.csi`;
  const path = `${pluginsDir}/${name}/csi.sock`;
  let current: ControlledDriver | undefined;
  let before = 0;

  async function come(): Promise<ControlledDriver> {
    mkdirSync(`${pluginsDir}/${name}`, { recursive: true });
    current = await startControlledDriver(path, name);
    return current;
  }

  async function go(): Promise<void> {
    before += probesOf(current);
    await current?.[Symbol.asyncDispose]();
    current = undefined;
    if (existsSync(path)) rmSync(path);
  }

  const acts: readonly ((driver: ControlledDriver) => void | Promise<void>)[] = [
    go,
    (driver) => void (driver.mode = "hold"),
    (driver) => void (driver.mode = "unavailable"),
    (driver) => void (driver.mode = "notReady"),
    (driver) => driver.drop(),
    (driver) => void (driver.nameOf = () => `liar-${"x".repeat(random() * 4_096)}-${random()}`),
    async (driver) => {
      driver.nameOf = () => "the-same.csi";
      await go();
      (await come()).nameOf = () => `liar-${random()}`;
    },
  ];
  return {
    change: async () => {
      if (current === undefined) return void (await come());
      if (random() < 0.5) return ready(current);
      await acts[Math.floor(random() * acts.length)]?.(current);
    },
    calm: async () => ready(current ?? (await come())),
    end: go,
    probes: () => before + probesOf(current),
  };
}

function probesOf(driver: ControlledDriver | undefined): number {
  return driver?.calls.filter((call) => call.endsWith("/Probe")).length ?? 0;
}

function ready(driver: ControlledDriver): void {
  driver.mode = "ready";
  driver.release();
}

async function look(pid: number, url: string, probes: number): Promise<Look> {
  // So long that garbage was collected, and what was gone for good is forgotten.
  await Bun.sleep(20 * Number(flags.interval));
  let fds = Infinity;
  let anonymousMib = Infinity;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    fds = Math.min(fds, readdirSync(`/proc/${pid}/fd`).length);
    anonymousMib = Math.min(anonymousMib, memoryOf(pid).anonymousMib);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await Bun.sleep(SAMPLE_MS);
  }
  // Our own document: docs/output.schema.json.
  const { items } = (await (await fetch(`${url}/api/v1/incidents`)).json()) as { readonly items: readonly unknown[] };
  return { probes, anonymousMib, fds, incidents: items.length };
}

function print(looks: readonly Look[]): void {
  const [first] = looks;
  if (first === undefined) return;
  const rows = looks.map(({ probes, anonymousMib, fds, incidents }) => [
    String(probes),
    anonymousMib.toFixed(1),
    `${anonymousMib < first.anonymousMib ? "" : "+"}${(anonymousMib - first.anonymousMib).toFixed(1)}`,
    `${fds < first.fds ? "" : "+"}${fds - first.fds}`,
    String(incidents),
  ]);
  console.log(renderTable(["probes", "anonymous, MiB", "drift, MiB", "drift of fds", "incidents kept"], rows));
}

if (flags.help) console.log(USAGE);
else await main();
process.exit();
