import { type ControlledDriver, startControlledDriver } from "./controlled-driver";
import { type MetricFamily, parseExposition } from "./exposition";
import { placeIn } from "./listed-node";
import type { MadeNode } from "./made-node";
import { type Sidecar, type SidecarOptions, startSidecar } from "./sidecar";
import { waitUntil } from "./wait";

export const FAST = ["--interval=5s", "--probe-timeout=1s", "--http-endpoint=127.0.0.1:0"];

/** Starts a driver in this process, in the directory of its place. */
export function startNamed(node: MadeNode, place: string, name = place): Promise<ControlledDriver> {
  return startControlledDriver(placeIn(node, place), name);
}

export function startMonitor(
  node: MadeNode,
  flags: readonly string[] = [],
  options: SidecarOptions = {},
): Promise<Sidecar> {
  return startSidecar(["monitor", "--root", node.rootDir, ...FAST, ...flags], options);
}

export function ready(monitor: Sidecar): Promise<unknown> {
  return waitUntil(async () => (await monitor.get("/readyz")).status === 200, "all drivers to be ready");
}

export async function textOf(monitor: Sidecar, path: string): Promise<string> {
  return (await monitor.get(path)).text();
}

export async function scrape(monitor: Sidecar): Promise<ReadonlyMap<string, MetricFamily>> {
  return parseExposition(await textOf(monitor, "/metrics"));
}

/** The newest incident, once its driver has been inspected. */
export function inspected(monitor: Sidecar): Promise<{ readonly id: string }> {
  return waitUntil(async () => {
    const [incident] = JSON.parse(await textOf(monitor, "/api/v1/incidents")).items;
    return incident?.verdict !== undefined && incident;
  }, "the inspection");
}
