import { EXECUTABLE } from "../test/support/executable";
import { startBusyProcesses } from "../test/support/busy-processes";
import { makeKubeletRoot, makeNode, type MadeNode } from "../test/support/made-node";
import { LISTEN, startPython } from "../test/support/made-node-process";
import { createCleanup } from "./cleanup";
import { startReadyDriver } from "./driver";
import { renderTable } from "./table";

/**
 * How long `list` takes on a busy node, with the built executable: `bun bench/busy-node.ts`. Besides one's own, it has
 * so many processes with so many descriptors each; and so many drivers that are ready, or sockets that nobody answers
 * on.
 */
const NODES = [
  { processes: 0, descriptors: 0, ready: 15, silent: 0 },
  { processes: 1_000, descriptors: 150, ready: 15, silent: 0 },
  { processes: 1_000, descriptors: 150, ready: 15, silent: 600 },
] as const;
const TIMEOUT_MS = 1_000;
const PLUGINS = "/var/lib/kubelet/plugins";

async function main(): Promise<void> {
  const rows: string[][] = [];
  // oxlint-disable-next-line no-await-in-loop -- one at a time, or they would measure each other
  for (const busy of NODES) rows.push(await measure(busy));
  const header = [
    "other processes x descriptors",
    "ready, silent",
    "rows by state",
    "with a listener",
    "slowest",
    "list",
  ];
  console.log(renderTable(header, rows));
}

type Busy = (typeof NODES)[number];

async function measure({ processes, descriptors, ready, silent }: Busy): Promise<string[]> {
  using cleanup = createCleanup();
  await using node = makeNode();
  makeKubeletRoot(node);
  for (let at = 0; at < ready; at += 1) {
    // oxlint-disable-next-line no-await-in-loop -- a machine with two cores starts no more
    await startReadyDriver(socketIn(node, `ready-${at}`), cleanup);
  }
  const paths = Array.from({ length: silent }, (_, at) => socketIn(node, `silent-${at}`));
  await using others = new AsyncDisposableStack();
  others.use(await startPython(LISTEN, paths));
  others.use(await startBusyProcesses(processes, descriptors));
  const begun = performance.now();
  const command = [EXECUTABLE, "list", "--root", node.rootDir, "-o", "json", `--probe-timeout=${TIMEOUT_MS}ms`];
  const { items } = JSON.parse(await Bun.spawn(command, { stderr: "ignore" }).stdout.text()) as Listed;
  const tookMs = performance.now() - begun;
  const states = Map.groupBy(items, ({ state }) => state);
  const slowestMs = Math.max(...items.map(({ connectMs = 0, callMs = 0 }) => connectMs + callMs));
  return [
    `${processes} x ${descriptors}`,
    `${ready}, ${silent}`,
    [...states].map(([state, those]) => `${those.length} ${state}`).join(", "),
    String(items.filter(({ listener }) => listener !== undefined).length),
    `${slowestMs.toFixed(0)} ms`,
    `${tookMs.toFixed(0)} ms${silent > 0 ? `, of which ${TIMEOUT_MS} for the silent` : ""}`,
  ];
}

interface Listed {
  readonly items: readonly {
    readonly state: string;
    readonly connectMs?: number;
    readonly callMs?: number;
    readonly listener?: object;
  }[];
}

function socketIn(node: MadeNode, name: string): string {
  node.directory(`${PLUGINS}/${name}`);
  return node.outer(`${PLUGINS}/${name}/csi.sock`);
}

await main();
