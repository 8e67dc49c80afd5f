import { runCommand } from "../command";
import { needPrograms } from "./debian";
import { type ToolName, tool } from "./tool";

/** What the tests of the image call. Building a tool takes longer than a test may. */
const TOOLS: readonly ToolName[] = [
  "apko",
  "cosign",
  "crane",
  "actionlint",
  "helm",
  "nfpm",
  "pyspdxtools",
  "kubernetes-validate",
];
const PROGRAMS = {
  buildah: "buildah",
  podman: "podman",
  "qemu-aarch64-static": "qemu-user-static",
  runc: "runc",
  skopeo: "skopeo",
};

async function prepare(): Promise<void> {
  await needPrograms(PROGRAMS);
  for (const name of TOOLS) await tool(name);
}

await runCommand({
  name: "bun scripts/tools/prepare.ts",
  about:
    "Installs and builds what the tests of the image call: minutes where nothing is there yet, nothing where all is.",
  flags: {},
  run: prepare,
});
