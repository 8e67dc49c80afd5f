import { join } from "node:path";
import { runCommand } from "../command";
import { runDemo, say, show, showMetrics, stop, stopped } from "./narrate";
import { type SampleServer, startSampleDriver, startSampleSidecar } from "./sample";

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
  await showMetrics(sidecar, METRICS);
  driver.signal("SIGSTOP");
  await stopped(driver.pid);
  await step(sidecar, "The driver hangs (SIGSTOP):", 500);
  driver.signal("SIGCONT");
  await step(sidecar, "It goes on (SIGCONT):", 200);
  driver.signal("SIGTERM");
  await driver.exited;
  await step(sidecar, "It is gone (SIGTERM):", 500);
  say("What its log says of all that, and its end (SIGTERM):");
  await stop(sidecar, sidecar.lines.findIndex((line) => line.includes("CSI driver name")) + 1);
}

async function step(sidecar: SampleServer, what: string, expected: number): Promise<void> {
  say(what, `curl ${sidecar.url}/healthz`);
  const response = await sidecar.get("/healthz");
  show(`HTTP ${response.status}  ${await response.text()}`);
  if (response.status !== expected) throw new Error(`expected HTTP status ${expected}, got ${response.status}`);
}

const METRICS =
  /^csi_livenessprobe_(ready\{|probes_total\{.*result="(ready|hung)"\})|^csi_sidecar_operations_seconds_count/;

await runCommand({
  name: "bun run demo",
  about: "Builds the sidecar, and shows it with a sample driver: ready, hung, ready again, gone.",
  flags: {},
  run: () => runDemo(demo),
});
process.exit();
