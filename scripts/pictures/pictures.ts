import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "../../bench/table";
import { runCommand } from "../command";
import { drawBench } from "./bench-picture";
import { startChromium } from "../tools/chromium";
import { drawPage } from "./page-picture";
import { drawPod, readPod } from "./pod-picture";
import { type Theme, THEMES } from "./theme";

const ROOT = join(import.meta.dirname, "../..");
export const DIRECTORY = join(ROOT, "docs/pictures");

/** The drawings of the docs, by the name of their files in docs/pictures. */
export async function drawPictures(): Promise<ReadonlyMap<string, string>> {
  const pod = readPod(readFileSync(join(ROOT, "deploy/examples/node/daemonset.yaml"), "utf8"));
  // Written by `bun run bench --json`.
  const report = JSON.parse(readFileSync(join(DIRECTORY, "bench.json"), "utf8")) as Report;
  const drawn = THEMES.flatMap((theme) => [
    [`pod-${theme.name}.svg`, Promise.resolve(drawPod(pod, theme))] as const,
    [`bench-${theme.name}.svg`, drawBench(report, theme)] as const,
  ]);
  return new Map(await Promise.all(drawn.map(async ([name, svg]) => [name, await svg] as const)));
}

async function writePictures(): Promise<void> {
  mkdirSync(DIRECTORY, { recursive: true });
  for (const [name, svg] of await drawPictures()) writeFileSync(join(DIRECTORY, name), svg);
  await using browser = await startChromium();
  for (const theme of THEMES) writeFileSync(pathOfPage(theme), await drawPage(browser, theme));
}

export function pathOfPage(theme: Theme): string {
  return join(DIRECTORY, `page-${theme.name}.png`);
}

if (import.meta.main)
  await runCommand({
    name: "bun run pictures",
    about:
      "Draws the pictures in docs/pictures: the pod from deploy/examples/node, the measurements from docs/pictures/bench.json, and the monitor's page in Chromium.",
    flags: {},
    run: writePictures,
  });
