import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { BUDGET } from "../support/budget";
import { startDriver } from "../support/drivers";
import { callHealthz } from "../support/healthz-callers";
import { quietFds } from "../support/quiet-fds";
import { startSidecar, type Sidecar } from "../support/sidecar";
import { waitUntil } from "../support/wait";

const PROBES = 2_000;

test(`idle and after ${PROBES} probes, the sidecar stays in its budget`, async () => {
  await using driver = await startDriver("grpc-js");
  await using sidecar = await startSidecar([`--csi-address=${driver.socketPath}`, "--http-endpoint=127.0.0.1:0"]);
  await sidecar.waitForLog((line) => line.includes("CSI driver name"));
  await restsBelow(sidecar, BUDGET.idleAnonymousKib);
  const fds = await quietFds(sidecar, () => true);

  for (let probe = 0; probe < PROBES; probe += 1) await callHealthz(sidecar.url);
  await restsBelow(sidecar, BUDGET.restedAnonymousKib);
  expect(await quietFds(sidecar, () => true)).toBe(fds);
  expect(fds).toBeLessThanOrEqual(BUDGET.fds);
  expect(threads(sidecar)).toBeLessThanOrEqual(BUDGET.threads);
});

test("serve loads no more modules than it needs, and nothing of the commands for a person", async () => {
  const modules = await loadedBy("serve");
  const foreign = modules.filter((module) => module.includes("node_modules"));
  expect(modules).toContain("src/commands/serve.ts");
  expect(
    modules.filter((module) => /operator|monitor|terminal|suggest|help|completion|src\/node\//.test(module)),
  ).toEqual([]);
  expect(modules.length).toBeLessThanOrEqual(BUDGET.modules);
  expect(foreign.length).toBeLessThanOrEqual(BUDGET.foreignModules);
});

test.each(["list", "report"])("%s loads nothing of the monitor, unless it watches", async (command) => {
  const modules = await loadedBy(command);
  expect(modules).toContain(`src/commands/${command}.ts`);
  expect(modules.filter((module) => module.startsWith("src/monitor/"))).toEqual([]);
});

test("500 callers at once do not take it out of its budget", async () => {
  await using driver = await startDriver("grpc-js", { mode: "slow 500" });
  await using sidecar = await startSidecar([`--csi-address=${driver.socketPath}`, "--http-endpoint=127.0.0.1:0"]);
  const answers = await Promise.all(Array.from({ length: 500 }, () => callHealthz(sidecar.url)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(peakResidentKib(sidecar)).toBeLessThan(BUDGET.peakResidentKib);
});

/** Waits for a collection of garbage, if that is what it takes. */
async function restsBelow(sidecar: Sidecar, kib: number): Promise<void> {
  await waitUntil(
    () => sidecar.anonymousKib() < kib,
    () => `anonymous memory to come down to ${kib} KiB: ${sidecar.anonymousKib()} KiB`,
  );
}

/** What is imported when a command starts: an `import()` counts where it leads on the way there. */
async function loadedBy(command: string): Promise<readonly string[]> {
  const onTheWay = ["src/commands/run.ts", `src/commands/${command}.ts`];
  const root = join(import.meta.dir, "../..");
  const entrypoint = "src/main.ts";
  const { metafile } = await Bun.build({ root, entrypoints: [join(root, entrypoint)], target: "bun", metafile: true });
  const inputs = new Map(Object.entries(metafile?.inputs ?? {}).map(([path, input]) => [relative(root, path), input]));
  const loaded = new Set([entrypoint]);
  // A set's loop goes on to what is added within it.
  for (const path of loaded) {
    const input = inputs.get(path);
    if (input === undefined) throw new Error(`the bundle has no ${path}`);
    for (const { path: imported, kind, external } of input.imports) {
      const target = relative(root, imported);
      if (!external && (kind !== "dynamic-import" || onTheWay.includes(target))) loaded.add(target);
    }
  }
  return [...loaded];
}

function peakResidentKib({ pid }: Sidecar): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function threads({ pid }: Sidecar): number {
  return Number(/^Threads:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
