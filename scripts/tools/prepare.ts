import { needPrograms } from "./debian";
import { type ToolName, tool } from "./tool";

/** What the tests of the image call. They have limits to their time, which building a tool would break. */
const TOOLS: readonly ToolName[] = [
  "apko",
  "cosign",
  "crane",
  "actionlint",
  "nfpm",
  "pyspdxtools",
  "python-cyclonedx",
  "kubernetes-validate",
];
const PROGRAMS = {
  buildah: "buildah",
  podman: "podman",
  "qemu-aarch64-static": "qemu-user-static",
  runc: "runc",
  skopeo: "skopeo",
};
/** Longer than this, and it was built or installed just now. */
const NEWS_MS = 3_000;

async function prepare(what: string, install: () => Promise<unknown>): Promise<void> {
  const begun = performance.now();
  await install();
  const tookMs = performance.now() - begun;
  if (tookMs > NEWS_MS) console.log(`Installed ${what} in ${(tookMs / 1_000).toFixed(0)} s`);
}

try {
  await prepare("programs of Debian's", () => needPrograms(PROGRAMS));
  for (const name of TOOLS) await prepare(name, () => tool(name));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
