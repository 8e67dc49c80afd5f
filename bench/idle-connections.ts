import { chmodSync, writeFileSync } from "node:fs";
import { createCleanup, type Cleanup } from "./cleanup";
import { startReadyDriver } from "./driver";
import { bounded, firstReadyMs, launch } from "./launch";
import { memoryOf } from "./proc";
import { type Program, prepareBaseline, prepareOurs } from "./programs";
import { renderTable } from "./table";

/** What clients that connect and stay silent do to the others: `bun bench/idle-connections.ts [PATH of ours]`. */
const CONNECTIONS = 5_000;
const LIMITS = [
  { soft: 1_024, hard: 1_024 },
  { soft: 1_024, hard: 20_000 },
] as const;
const SECONDS = 30;
const BOUND_MS = 5_000;
const START_BOUND_MS = 20_000;

async function main(): Promise<void> {
  using cleanup = createCleanup();
  const directory = cleanup.directory().path;
  const csiAddress = `${directory}/csi.sock`;
  await startReadyDriver(csiAddress, cleanup);
  const baseline = await prepareBaseline(process.env["PEER"]);
  const programs = [
    await prepareOurs(directory, process.argv[2]),
    ...(baseline.kind === "there" ? [baseline.program] : []),
  ];
  const rows: string[][] = [];
  for (const { soft, hard } of LIMITS) {
    for (const program of programs) {
      const limited = limit(program, soft, hard, `${directory}/limited-${hard}-${program.label.replaceAll(" ", "-")}`);
      // oxlint-disable-next-line no-await-in-loop -- one at a time, or they would measure each other
      rows.push([`${soft}:${hard}`, program.label, ...(await measure(limited, csiAddress, cleanup))]);
    }
  }
  console.log(renderTable(["soft:hard", "program", "first answer", "unanswered", "anonymous, MiB"], rows));
  console.log(
    `\n${CONNECTIONS} idle connections, then a /healthz each second for ${SECONDS} s, each within ${BOUND_MS} ms.`,
  );
}

/** A shell sets the limits and becomes the program. */
function limit(program: Program, soft: number, hard: number, path: string): Program {
  writeFileSync(path, `#!/bin/sh\nulimit -Sn ${soft} && ulimit -Hn ${hard} && exec '${program.path}' "$@"\n`);
  chmodSync(path, 0o755);
  return { ...program, path };
}

async function measure(program: Program, csiAddress: string, cleanup: Cleanup): Promise<string[]> {
  await using running = await launch(program, { csiAddress, cleanup });
  if ((await firstReadyMs(running, START_BOUND_MS)) === undefined) throw new Error(`${program.label} is not ready`);
  const connecting = Array.from({ length: CONNECTIONS }, () =>
    Bun.connect({ hostname: "127.0.0.1", port: running.port, socket: { data: () => {} } }).catch(() => undefined),
  );
  const asked = performance.now();
  const answers: (number | undefined)[] = [];
  while (performance.now() < asked + SECONDS * 1_000) {
    const startedAt = performance.now();
    // oxlint-disable no-await-in-loop -- one a second is the point
    const isAnswered = (await bounded(running.port, BOUND_MS)) === 200;
    answers.push(isAnswered ? performance.now() - asked : undefined);
    await Bun.sleep(Math.max(0, startedAt + 1_000 - performance.now()));
    // oxlint-enable no-await-in-loop
  }
  const { anonymousMib } = memoryOf(running.pid);
  void Promise.all(connecting).then((sockets) => sockets.forEach((socket) => socket?.terminate()));
  const first = answers.find((answer) => answer !== undefined);
  const unanswered = answers.filter((answer) => answer === undefined).length;
  return [
    first === undefined ? "never" : `after ${(first / 1_000).toFixed(1)} s`,
    `${unanswered} of ${answers.length}`,
    anonymousMib.toFixed(1),
  ];
}

await main();
