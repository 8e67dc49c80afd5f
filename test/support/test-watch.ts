import type { DriverView } from "../../src/monitor/driver-record";
import { renderIncidentFile } from "../../src/monitor/documents";
import type { Incident } from "../../src/monitor/incidents/incident";
import { createIncidentLog } from "../../src/monitor/incidents/incident-log";
import { createIncidentStore } from "../../src/monitor/incidents/incident-store";
import { createIncidentObserver } from "../../src/monitor/incidents/observer";
import { startWatch, type Watch, type WatchOptions } from "../../src/monitor/watch";
import { openNode } from "../../src/inspection/node-view";
import { createLogging } from "../../src/log/logger";
import { MONOTONIC_CLOCK } from "../../src/base/clock";
import { rmSync } from "node:fs";
import { type MadeNode, makeKubeletRoot, makeNode } from "./made-node";
import { type ControlledDriver, startControlledDriver } from "./controlled-driver";
import { waitUntil } from "./wait";

export const PLUGINS = "/var/lib/kubelet/plugins";
export const REGISTRY = "/var/lib/kubelet/plugins_registry";

/** A watch over a made node, in this process. */
export interface TestWatch extends AsyncDisposable {
  readonly watch: Watch;
  readonly node: MadeNode;
  readonly log: readonly string[];
  /** The newest first. */
  incidents(): readonly Incident[];
  driver(label: string): DriverView | undefined;
  /** Starts a driver in the directory of its name. */
  start(name: string, place?: string): Promise<ControlledDriver>;
  /** Waits until a driver is in a state: `ready`, `notReady`, or the reason of a failure. */
  waitFor(label: string, state: string): Promise<void>;
  /** Waits until another driver was probed so often since now. */
  probes(label: string, count: number): Promise<void>;
}

/** @param prepare makes what is there when the watch begins */
export async function startTestWatch(
  changes: Partial<WatchOptions> = {},
  prepare: (node: MadeNode) => void | Promise<void> = () => {},
): Promise<TestWatch> {
  const node = makeNode();
  makeKubeletRoot(node);
  await prepare(node);
  const log: string[] = [];
  const createLogger = createLogging({
    format: "text",
    timeZone: "utc",
    nowMs: Date.now,
    pid: 1,
    verbosity: 0,
    vmodule: [],
    write: (line) => void log.push(line),
  });
  const store = createIncidentStore();
  const incidents = createIncidentLog({
    store,
    files: undefined,
    render: (incident, lines) => renderIncidentFile(incident, lines, undefined),
    logger: createLogger("incident-log.ts"),
    nowMs: MONOTONIC_CLOCK.nowMs,
    wallMs: Date.now,
  });
  const asker = {
    probeTimeoutMs: 400,
    ...changes,
  };
  const places = { rootDir: node.rootDir, kubeletDirs: ["/var/lib/kubelet"] };
  const watch = await startWatch({
    ...asker,
    opened: await openNode(places),
    places,
    driver: undefined,
    intervalMs: 200,
    observe: createIncidentObserver({
      ...asker,
      incidents,
      incidentLogs: false,
      self: { program: ["livenessprobe"], flags: [] },
      logger: createLogger("watch.ts"),
    }),
    clock: MONOTONIC_CLOCK,
    wallMs: Date.now,
    random: Math.random,
    ...changes,
  });
  const drivers: ControlledDriver[] = [];
  const driver = (label: string) => watch.table.drivers().find((each) => each.label === label);
  return {
    watch,
    node,
    log,
    incidents: store.all,
    driver,
    start: async (name, place = name) => {
      node.directory(`${PLUGINS}/${place}`);
      const path = node.outer(`${PLUGINS}/${place}/csi.sock`);
      rmSync(path, { force: true });
      const started = await startControlledDriver(path, name);
      drivers.push(started);
      return started;
    },
    waitFor: async (label, state) => {
      await waitUntil(
        () => {
          const outcome = driver(label)?.report.outcome;
          return (outcome?.kind === "failed" ? outcome.reason : outcome?.kind) === state;
        },
        () =>
          `${label} to be ${state}: ${JSON.stringify(watch.table.drivers().map(({ report }) => [report.driver, report.outcome]))}`,
      );
    },
    probes: async (label, count) => {
      const all = (): number => {
        const { ready = 0, notReady = 0, failed = 0 } = driver(label)?.probes ?? {};
        return ready + notReady + failed;
      };
      const before = all();
      await waitUntil(() => all() >= before + count, `${count} probes of ${label}`);
    },
    [Symbol.asyncDispose]: async () => {
      watch.stop();
      for (const each of drivers) await each[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  };
}
