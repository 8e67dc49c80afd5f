import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";
import { startDriver } from "../support/drivers";
import { parseExposition } from "../support/exposition";
import { findFaketime, offsetClock } from "../support/faketime";
import { says } from "../support/log-lines";
import { type Sidecar, startSidecar } from "../support/sidecar";

setDefaultTimeout(60_000);

const HOUR_MS = 3_600_000;
const library = await findFaketime();

test.skipIf(library === undefined).each([
  ["forward", 1],
  ["back", -1],
])(
  "when the wall clock is set %s by an hour, log and metrics follow at once, and durations do not notice",
  async (_, hours) => {
    using directory = temporaryDirectory();
    const offset = join(directory.path, "offset");
    writeFileSync(offset, "+0");
    const env = offsetClock(library, offset);
    await using driver = await startDriver("grpc-js", { mode: "status 13 m" });
    const args = ["--http-endpoint=127.0.0.1:0", "--logging-format=json", "--csi-address", driver.socketPath];
    await using sidecar = await startSidecar(args, { env });
    await (await sidecar.get("/healthz")).text();
    await expectTimes(sidecar, "CSI driver failed its probe", 0);
    const startedAt = await metric(sidecar, "process_start_time_seconds");

    writeFileSync(offset, `${hours > 0 ? "+" : "-"}3600`);
    await driver.send("mode ready");
    await (await sidecar.get("/healthz")).text();
    const line = await expectTimes(sidecar, "CSI driver is ready again", hours * HOUR_MS);

    expect(line).toContain('"failedProbes":1');
    expect(line).toMatch(/"failedFor":"[\d.]+m?s"/);
    expect(await metric(sidecar, "process_start_time_seconds")).toBe(startedAt);
    const scraped = await (await sidecar.get("/metrics")).text();
    for (const [, sum] of scraped.matchAll(/^csi_\w+_seconds_sum(?:{[^}]*})? (\S+)$/gm))
      expect(Number(sum)).toBeWithin(0, 60);
  },
);

/** Holds the time of a log line and that of the last probe to what the wall clock shows. */
async function expectTimes(sidecar: Sidecar, message: string, offsetMs: number): Promise<string> {
  const line = await sidecar.waitForLog(says(message));
  const lastProbeMs = 1_000 * (await metric(sidecar, "csi_livenessprobe_last_probe_timestamp_seconds"));
  const nowMs = Date.now() + offsetMs;
  expect(Number(/"ts":([\d.]+)/.exec(line)?.[1])).toBeWithin(nowMs - 60_000, nowMs + 1_000);
  expect(lastProbeMs).toBeWithin(nowMs - 60_000, nowMs + 1_000);
  return line;
}

async function metric(sidecar: Sidecar, name: string): Promise<number> {
  const families = parseExposition(await (await sidecar.get("/metrics")).text());
  return families.get(name)?.samples[0]?.value ?? Number.NaN;
}
