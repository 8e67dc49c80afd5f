import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FAILURE_REASONS } from "../src/driver/diagnosis";
import { readServeFlags } from "./support/serve-flags";

const ROOT = join(import.meta.dir, "..");
const README = read("README.md");

test.each([...FAILURE_REASONS, "not_ready"])("the README explains the reason %s", (reason) => {
  expect(README).toContain(`| \`${reason}\``);
});

test("the flags in the README's manifest are taken", async () => {
  const args = /args: \[(--csi-address[^\]]+)\]/.exec(README)?.[1]?.split(", ") ?? [];
  expect(await readServeFlags(args)).toMatchObject({
    csiSocketPath: "/csi/csi.sock",
    probeTimeoutMs: 3_000,
    endpoints: [{ probes: true, metricsPath: "/metrics" }],
  });
});

test.each([
  "README.md",
  "CONTRIBUTING.md",
  "docs/adopting.md",
  "docs/architecture.md",
  "docs/debugging.md",
  "docs/deploying.md",
  "docs/flags.md",
  "docs/image.md",
  "docs/migrating.md",
  "docs/monitoring.md",
  "docs/operating.md",
  "docs/performance.md",
  "docs/platforms.md",
  "docs/releasing.md",
  "docs/reliability.md",
  "docs/reproduce.md",
  "docs/verify.md",
])("each local link in %s leads somewhere", (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) => link ?? "");
  const broken = links.filter((link) => !Bun.file(join(ROOT, page, "..", link)).size);
  expect(broken).toEqual([]);
});

test("the versions in the docs are those that are pinned", () => {
  const { bun } = JSON.parse(read("package.json")).devDependencies as { readonly bun: string };
  const named = ["README.md", "CONTRIBUTING.md"].flatMap((page) => [...read(page).matchAll(/bun@([\d.]+)/g)]);
  expect(new Set(named.map(([, version]) => version))).toEqual(new Set([bun]));
});

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}
