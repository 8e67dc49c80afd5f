import { needPrograms } from "../../scripts/tools/debian";
import { type Values, runCommand } from "../../scripts/command";
import { isKubernetesBuilt } from "../../scripts/tools/kubernetes";
import { needProgram } from "../support/prometheus-programs";
import { nodePrograms } from "./programs";

const FLAGS = {
  "if-built": { help: "Build nothing: exit with 1, and say so, where Kubernetes is not in the cache." },
} as const;

async function prepare({ "if-built": ifBuilt }: Values<typeof FLAGS>): Promise<number> {
  if (ifBuilt && !(await isKubernetesBuilt())) {
    console.error("The tests on a real kubelet are skipped: it is not in the cache; bun run test:kubelet builds it");
    return 1;
  }
  await needPrograms({ ip: "iproute2", setsid: "util-linux", openssl: "openssl" });
  await needProgram("promtool");
  await nodePrograms();
  return 0;
}

await runCommand({
  name: "bun test/kubelet/prepare.ts",
  about: "Builds what the tests on a real kubelet run: minutes the first time, nothing where all is in the cache.",
  flags: FLAGS,
  run: prepare,
});
