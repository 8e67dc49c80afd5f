import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { COLLECTION_DELAY_MS } from "../../src/collector";
import { BUDGET } from "../support/budget";
import { startDriver } from "../support/drivers";
import { callHealthz } from "../support/healthz-callers";
import { startSidecar, type Sidecar } from "../support/sidecar";
import { waitUntil } from "../support/wait";

setDefaultTimeout(60_000);

const PROBES = 2_000;

test(`idle and after ${PROBES} probes, the sidecar stays in its budget`, async () => {
  await using driver = await startDriver("grpc-js");
  await using sidecar = await startSidecar([`--csi-address=${driver.socketPath}`, "--http-endpoint=127.0.0.1:0"]);
  await sidecar.waitForLog((line) => line.includes("CSI driver name"), 10_000);
  expect(sidecar.anonymousKib()).toBeLessThan(BUDGET.idleAnonymousKib);
  const fds = sidecar.fds();

  for (let probe = 0; probe < PROBES; probe += 1) await callHealthz(sidecar.url);
  await waitUntil(
    () => sidecar.anonymousKib() < BUDGET.restedAnonymousKib,
    5 * COLLECTION_DELAY_MS,
    () => `anonymous memory to come down to ${BUDGET.restedAnonymousKib} KiB: ${sidecar.anonymousKib()} KiB`,
  );
  expect(sidecar.fds()).toBe(fds);
  expect(fds).toBeLessThanOrEqual(BUDGET.fds);
  expect(threads(sidecar)).toBeLessThanOrEqual(BUDGET.threads);
});

test("the bundle has no more modules than it needs", async () => {
  const { metafile } = await Bun.build({
    entrypoints: [join(import.meta.dir, "../../src/main.ts")],
    target: "bun",
    metafile: true,
  });
  const modules = Object.keys(metafile?.inputs ?? {});
  const foreign = modules.filter((module) => module.includes("node_modules"));
  expect(modules.length).toBeGreaterThan(foreign.length);
  expect(modules.length).toBeLessThanOrEqual(BUDGET.modules);
  expect(foreign.length).toBeLessThanOrEqual(BUDGET.foreignModules);
});

test("500 callers at once do not take it out of its budget", async () => {
  await using driver = await startDriver("grpc-js", { mode: "slow 500" });
  await using sidecar = await startSidecar([`--csi-address=${driver.socketPath}`, "--http-endpoint=127.0.0.1:0"]);
  const answers = await Promise.all(Array.from({ length: 500 }, () => callHealthz(sidecar.url)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(peakResidentKib(sidecar)).toBeLessThan(BUDGET.peakResidentKib);
});

function peakResidentKib({ pid }: Sidecar): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function threads({ pid }: Sidecar): number {
  return Number(/^Threads:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
