import { keepConnection } from "./kept";
import { type Answer, once } from "./once";

/** What to ask of a server on loopback. */
export interface Load {
  readonly port: number;
  readonly callers: number;
  /** Whether each request has a connection of its own, as a kubelet's, or each caller keeps one, as Prometheus does. */
  readonly connections: "fresh" | "kept";
  readonly until:
    { readonly kind: "requests"; readonly count: number } | { readonly kind: "seconds"; readonly seconds: number };
  /** Requests whose times are left out. */
  readonly warmUp: number;
}

export interface LoadResult {
  /**
   * Of each request but those to warm up, from before the connect, or the request on a kept connection, to the answer,
   * in milliseconds.
   */
  readonly times: readonly number[];
  /** How many answers came with each HTTP status, those to warm up included. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly elapsedMs: number;
  /** How much of one core the busiest process needed to ask: near 1, asking is what was measured. */
  readonly askerCpu: number;
}

/** One process that asks for many callers would be what limits them. */
const ASKERS = 2;

/**
 * Asks in processes of their own, so that neither asking nor measuring slows the other.
 *
 * @throws where a request gets no answer at all
 */
export async function ask(load: Load): Promise<LoadResult> {
  return merge(await Promise.all(shares(load, Math.min(load.callers, ASKERS)).map(askInProcess)));
}

function shares({ port, callers, connections, until, warmUp }: Load, count: number): readonly Load[] {
  return Array.from({ length: count }, (_, index) => {
    const share = (total: number): number => Math.floor((total + index) / count);
    return {
      port,
      callers: share(callers),
      connections,
      until: until.kind === "requests" ? { kind: "requests", count: share(until.count) } : until,
      warmUp: share(warmUp),
    };
  });
}

function merge(results: readonly LoadResult[]): LoadResult {
  const statuses: Record<string, number> = {};
  for (const [status, count] of results.flatMap((result) => Object.entries(result.statuses))) {
    statuses[status] = (statuses[status] ?? 0) + count;
  }
  return {
    times: results.flatMap(({ times }) => times),
    statuses,
    requests: results.reduce((sum, { requests }) => sum + requests, 0),
    elapsedMs: Math.max(...results.map(({ elapsedMs }) => elapsedMs)),
    askerCpu: Math.max(...results.map(({ askerCpu }) => askerCpu)),
  };
}

async function askInProcess(load: Load): Promise<LoadResult> {
  const child = Bun.spawn([process.execPath, import.meta.path, JSON.stringify(load)], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  if (code !== 0) throw new Error(`asking for ${JSON.stringify(load)} ended with ${code}: ${stderr.trim()}`);
  // Written by `run` below.
  return JSON.parse(stdout) as LoadResult;
}

async function run({ port, callers, connections, until, warmUp }: Load): Promise<LoadResult> {
  const times: number[] = [];
  const statuses: Record<string, number> = {};
  let begun = 0;
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const more = (): boolean => {
    switch (until.kind) {
      case "requests":
        return begun < until.count;
      case "seconds":
        return performance.now() - start < until.seconds * 1_000;
    }
    return until satisfies never;
  };
  const caller = async (): Promise<void> => {
    using asker = await openAsker(port, connections);
    while (more()) {
      const number = begun++;
      // oxlint-disable-next-line no-await-in-loop -- a caller asks when it has its answer
      const { status, elapsedMs } = await asker.ask();
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (number >= warmUp) times.push(elapsedMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { times, statuses, requests: begun, elapsedMs, askerCpu: (user + system) / 1_000 / elapsedMs };
}

interface Asker extends Disposable {
  readonly ask: () => Promise<Answer>;
}

async function openAsker(port: number, connections: Load["connections"]): Promise<Asker> {
  switch (connections) {
    case "fresh":
      return { ask: () => once(port), [Symbol.dispose]: () => {} };
    case "kept":
      return keepConnection(port);
  }
  return connections satisfies never;
}

// The argument is what `askInProcess` above wrote.
if (import.meta.main) console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "") as Load)));
