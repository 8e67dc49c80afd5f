import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../command";
import { temporaryDirectory } from "../temporary";
import { runDemo, say, show, stopped } from "./narrate";
import { type SampleDriver, type SampleSidecar, startSampleDriver, startServer } from "./sample";

const EXECUTABLE = join(import.meta.dirname, "../../dist/livenessprobe");
const HANGS = "files.csi.example";
const IS_KILLED = "objects.csi.example";
const NAMES = ["blocks.csi.example", HANGS, IS_KILLED, "secrets.csi.example", "snapshots.csi.example"];

/** Shows `monitor` on a sample node: one driver hangs and goes on, another one is killed. Leaves nothing behind. */
async function demo(cleanup: AsyncDisposableStack, hold: boolean): Promise<void> {
  say("A sample node with five CSI drivers, each a real Identity server:");
  const kubeletDir = cleanup.use(temporaryDirectory()).path;
  const drivers = await Promise.all(NAMES.map((name) => startDriver(kubeletDir, name, cleanup)));
  for (const { socketPath } of drivers) show(socketPath);

  const words = ["monitor", `--kubelet-dir=${kubeletDir}`, "--interval=5s", "--probe-timeout=1s"];
  say("One process watches them all:", `livenessprobe ${words.join(" ")}`);
  const monitor = cleanup.use(await startServer([EXECUTABLE, ...words, "--http-endpoint=localhost:0"]));
  show(`The page, as long as this demo runs: ${monitor.url}/`);
  while ((await monitor.get("/readyz")).status !== 200) await Bun.sleep(50);
  await ask(monitor, "All of them are ready:", "/readyz");

  const hung = find(drivers, HANGS);
  hung.signal("SIGSTOP");
  await stopped(hung.pid);
  await tell(monitor, `${HANGS} hangs (SIGSTOP). The monitor's log:`, failureOf(HANGS));
  await ask(monitor, "What a node's readiness reporter is told:", `/readyz/${HANGS}`);
  hung.signal("SIGCONT");
  await tell(monitor, "It goes on (SIGCONT), which is seen at once:", new RegExp(`is ready again.*"${HANGS}"`));

  find(drivers, IS_KILLED).signal("SIGKILL");
  await tell(monitor, `${IS_KILLED} is killed (SIGKILL):`, failureOf(IS_KILLED));
  await showIncidents(monitor);
  await showMetrics(monitor);
  if (hold) await holdOn(monitor, kubeletDir);
  await stop(monitor);
}

/** Until Ctrl-C. */
async function holdOn(monitor: SampleSidecar, kubeletDir: string): Promise<void> {
  say("The node, the monitor and its page stay until Ctrl-C. Look around:");
  show(`${monitor.url}/`);
  show(`dist/livenessprobe list --kubelet-dir=${kubeletDir}`);
  await monitor.exited;
}

function startDriver(kubeletDir: string, name: string, cleanup: AsyncDisposableStack): Promise<SampleDriver> {
  const directory = join(kubeletDir, "plugins", name);
  mkdirSync(directory, { recursive: true });
  return startSampleDriver(name, directory).then((driver) => cleanup.use(driver));
}

function find(drivers: readonly SampleDriver[], name: string): SampleDriver {
  const driver = drivers.find((each) => each.name === name);
  if (driver === undefined) throw new Error(`there is no driver ${name}`);
  return driver;
}

function failureOf(name: string): RegExp {
  return new RegExp(`CSI driver failed.*"${name}"`);
}

async function tell(monitor: SampleSidecar, what: string, line: RegExp): Promise<void> {
  say(what);
  const { input } = await monitor.waitFor(line);
  show(input);
}

async function ask(monitor: SampleSidecar, what: string, path: string): Promise<void> {
  say(what, `curl ${monitor.url}${path}`);
  const response = await monitor.get(path);
  show(`HTTP ${response.status}  ${(await response.text()).trim()}`);
}

interface IncidentList {
  readonly items: readonly {
    readonly openedAt: string;
    readonly driver: string;
    readonly reason: string;
    readonly verdict?: string;
    readonly end?: string;
  }[];
}

/** Both, once the second has been inspected. */
async function showIncidents(monitor: SampleSidecar): Promise<void> {
  say("The incidents, each with what inspect saw when it began:", `curl ${monitor.url}/api/v1/incidents`);
  for (;;) {
    // Our own document: docs/output.schema.json.
    const { items } = (await (await monitor.get("/api/v1/incidents")).json()) as IncidentList;
    if (items.length === 2 && items.every(({ verdict }) => verdict !== undefined)) {
      for (const { openedAt, driver, verdict = "", end = "still open" } of items)
        show(`${openedAt}  ${driver}  ${verdict} (${end})`);
      return;
    }
    await Bun.sleep(50);
  }
}

async function showMetrics(monitor: SampleSidecar): Promise<void> {
  say("A few of its metrics:", `curl ${monitor.url}/metrics`);
  const metrics = await (await monitor.get("/metrics")).text();
  const wanted = /^csi_node_driver_(ready|failing)\{|^csi_node_monitor_incidents_total\{/;
  for (const line of metrics.split("\n").filter((candidate) => wanted.test(candidate))) show(line);
}

async function stop(monitor: SampleSidecar): Promise<void> {
  say("The end (SIGTERM):");
  monitor.signal("SIGTERM");
  const code = await monitor.exited;
  show(`exit code ${code}`);
  if (code !== 0) throw new Error(`expected exit code 0, got ${code}`);
}

await runCommand({
  name: "bun run demo:monitor",
  about: "Builds the executable, and shows monitor on a sample node: one driver hangs, another one is killed.",
  flags: { hold: { help: "Keep the node, the monitor and its page until Ctrl-C." } },
  run: ({ hold }) => runDemo((cleanup) => demo(cleanup, hold)),
});
process.exit();
