import { join } from "node:path";
import { runCommand } from "../command";
import { runDemo, say, show, stopped } from "./narrate";
import { type SampleSidecar as Sidecar, startSampleDriver, startSampleSidecar } from "./sample";

const EXECUTABLE = join(import.meta.dirname, "../../dist/livenessprobe");

/** Shows the built executable with a sample CSI driver: ready, hung, ready again, gone. Leaves nothing behind. */
async function demo(cleanup: AsyncDisposableStack): Promise<void> {
  say("A sample CSI driver: a real Identity server on a unix socket.");
  const driver = cleanup.use(await startSampleDriver());
  show(`driver ${driver.name} listens on ${driver.socketPath}`);

  const flags = [`--csi-address=${driver.socketPath}`, "--http-endpoint=localhost:0", "--probe-timeout=1s"];
  say("The sidecar beside it, as in a pod:", `livenessprobe ${flags.join(" ")}`);
  const sidecar = cleanup.use(await startSampleSidecar([EXECUTABLE], flags));
  for (const line of sidecar.lines) show(line);

  await step(sidecar, "The kubelet asks:", 200);
  await showMetrics(sidecar);
  driver.signal("SIGSTOP");
  await stopped(driver.pid);
  await step(sidecar, "The driver hangs (SIGSTOP):", 500);
  driver.signal("SIGCONT");
  await step(sidecar, "It goes on (SIGCONT):", 200);
  driver.signal("SIGTERM");
  await driver.exited;
  await step(sidecar, "It is gone (SIGTERM):", 500);
  await stop(sidecar);
}

async function step(sidecar: Sidecar, what: string, expected: number): Promise<void> {
  say(what, `curl ${sidecar.url}/healthz`);
  const response = await sidecar.get("/healthz");
  show(`HTTP ${response.status}  ${await response.text()}`);
  if (response.status !== expected) throw new Error(`expected HTTP status ${expected}, got ${response.status}`);
}

async function showMetrics(sidecar: Sidecar): Promise<void> {
  say("A few of its metrics:", `curl ${sidecar.url}/metrics`);
  const metrics = await (await sidecar.get("/metrics")).text();
  const wanted =
    /^csi_livenessprobe_(ready\{|probes_total\{.*result="(ready|hung)"\})|^csi_sidecar_operations_seconds_count/;
  for (const line of metrics.split("\n").filter((candidate) => wanted.test(candidate))) show(line);
}

async function stop(sidecar: Sidecar): Promise<void> {
  say("What its log says of all that, and its end (SIGTERM):");
  const before = sidecar.lines.findIndex((line) => line.includes("CSI driver name")) + 1;
  sidecar.signal("SIGTERM");
  const code = await sidecar.exited;
  for (const line of sidecar.lines.slice(before)) show(line);
  show(`exit code ${code}`);
  if (code !== 0) throw new Error(`expected exit code 0, got ${code}`);
}

await runCommand({
  name: "bun run demo",
  about: "Builds the sidecar, and shows it with a sample driver: ready, hung, ready again, gone.",
  flags: {},
  run: () => runDemo(demo),
});
process.exit();
