import { describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startDriver } from "../support/drivers";
import { behindShell } from "../support/executable";
import { startSidecar } from "../support/sidecar";
import { usable } from "../support/usable";

// The seconds of deploy/examples/node: initialDelaySeconds and timeoutSeconds.
const FIRST_PROBE_MS = 10_000;
const KUBELET_TIMEOUT_MS = 5_000;
const PROBES = 20;

const PERIOD_US = 100_000;
// The controller `cpu` of cgroup v1 has a hierarchy of its own.
const V1 = "/sys/fs/cgroup/cpu";
const HIERARCHY = existsSync(V1) ? V1 : "/sys/fs/cgroup";

const tryOut =
  'mkdir "$0" && { test -e "$0/cpu.max" || test -e "$0/cpu.cfs_quota_us"; found=$?; rmdir "$0"; exit $found; }';
const mayLimit = usable("CPU limits", ["sh", "-c", tryOut, groupPath()]);

// Not at the same time: what is measured is the limit, and not a busy machine.
describe.if(mayLimit)("with a CPU limit, a ready driver is answered for in time", () => {
  test.each([10, 20, 50, 100])("%dm", async (millicores) => {
    await using driver = await startDriver("grpc-js");
    using group = cpuLimit(millicores);
    const args = ["--http-endpoint=127.0.0.1:0", "--csi-address", driver.socketPath];
    const startedMs = performance.now();
    await using sidecar = await startSidecar(...behindShell(`echo $$ > ${group.path}/cgroup.procs`, args));
    const ask = async () => (await sidecar.get("/healthz", { signal: AbortSignal.timeout(KUBELET_TIMEOUT_MS) })).status;
    const first = await ask();
    expect(performance.now() - startedMs).toBeLessThan(FIRST_PROBE_MS);

    const statuses = [first];
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as the kubelet asks
    while (statuses.length < PROBES) statuses.push(await ask());
    expect(statuses).toEqual(Array.from({ length: PROBES }, () => 200));
  });
});

/** A control group whose processes share so many thousandths of a CPU. It must be empty when it is disposed of. */
function cpuLimit(millicores: number): Disposable & { readonly path: string } {
  const path = groupPath();
  const quotaUs = (millicores / 1_000) * PERIOD_US;
  mkdirSync(path);
  if (HIERARCHY === V1) writeFileSync(join(path, "cpu.cfs_quota_us"), String(quotaUs));
  else writeFileSync(join(path, "cpu.max"), `${quotaUs} ${PERIOD_US}`);
  return { path, [Symbol.dispose]: () => rmdirSync(path) };
}

function groupPath(): string {
  return join(HIERARCHY, `csi-livenessprobe-${randomUUID()}`);
}
